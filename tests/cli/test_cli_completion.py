"""Shell completion: what is offered, and that real shells offer it."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

import pytest

from affekt.cli.completion import FILES, SCRIPTS, candidates, join_at_equals
from affekt.cli.parsing import VERBS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], ["train"]),
        (["train", "quicks"], ["quickstart", FILES]),
        (["train", "quickstart", "--se"], ["--set", "--seed"]),
        (["train", "quickstart", "--seed", ""], []),
        (
            ["train", "--set", "model.kind="],
            ["model.kind=", "model.kind=classifier", "model.kind=regulated", "model.kind=earlier"],
        ),
        (["train", "--set", "training.epo"], ["training.epochs="]),
        (["train", "--set=training.epo"], ["--set=training.epochs="]),
        (["train", "--out", ""], [FILES]),
        (["evaluate", "model", "--dataset", "cifar"], ["cifar10", "cifar100"]),
        (["evaluate", "model", "--split", "t"], ["train", "test"]),
        (["predict", "model", "a.png", ""], [FILES]),
        (["recipes", "quick"], ["quickstart"]),
        (["completion", ""], list(SCRIPTS)),
        (["doctor", "x", ""], []),
        ([""], list(VERBS)),
    ],
)
def test_candidates(words, expected):
    assert list(candidates(words)) == expected


def test_conditions_come_from_the_recipe_of_the_call(tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text("[conditions.longer]\ntraining.epochs = 3\n")
    assert list(candidates(["train", str(recipe), "--condition", "lo"])) == ["longer"]
    assert list(candidates(["train", str(tmp_path / "none.toml"), "--condition", "lo"])) == []
    assert list(candidates(["train", str(tmp_path / "none.toml"), "--condition", "learn"])) == ["learn-e-reg"]


def test_words_that_bash_cut_are_joined():
    assert join_at_equals(["train", "--set", "a.b", "=", "c"]) == ["train", "--set", "a.b=c"]
    assert join_at_equals(["--set", "a.b", "="]) == ["--set", "a.b="]


def test_data_verbs_are_completed():
    assert "fetch" in list(candidates(["data", ""]))
    assert "oasis" in list(candidates(["data", "info", "oa"]))


@pytest.fixture
def script_folder(tmp_path):
    """A folder with an ``affekt`` that runs this Python, and a file to complete."""
    command = tmp_path / "affekt"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affekt.cli "$@"\n')
    command.chmod(0o755)
    (tmp_path / "my recipe.toml").write_text("")
    return tmp_path


def shell(name, script, folder):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        [name, "-c", script], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


BASH = """
eval "$(affekt completion bash)"
compopt() { :; }
COMP_WORDS=(%s)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_affekt
printf '%%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("affekt tr", ["train"]),
        ("affekt train my", ["my recipe.toml"]),
        ("affekt train quickstart --set regulation.mix = l", ["logit"]),
        ("affekt train quickstart --set regulation.mix =", ["probability", "logit"]),
        ("affekt evaluate m --split va", ["validation"]),
    ],
)
def test_bash_completes(script_folder, words, expected):
    assert shell("bash", BASH % words, script_folder) == expected


def test_bash_completes_at_a_real_prompt(script_folder):
    """Through readline itself: type, press Tab, read the line that stands there."""
    shown = Prompt(script_folder)
    shown.type(f'PATH="{script_folder}:$PATH"; eval "$(affekt completion bash)"; echo rea""dy\n', until="ready")
    shown.type("affekt evalu\tMODEL --spl\tval\t", until="affekt evaluate MODEL --split validation ")
    shown.close()


class Prompt:
    """An interactive bash in a terminal of its own."""

    def __init__(self, folder):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["TERM"] = "dumb"
            os.execlp("bash", "bash", "--norc", "--noprofile", "-i")

    def type(self, keys, *, until):
        os.write(self.terminal, keys.encode())
        text, end = "", time.monotonic() + 30
        while until not in text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"bash shows {text!r}"
            text += os.read(self.terminal, 4096).decode(errors="replace")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


FISH = "affekt completion fish | source; complete -C 'affekt train quickstart --set regulation.mix=l'"


def test_fish_completes(script_folder):
    assert shell("fish", FISH, script_folder) == ["regulation.mix=logit"]


def test_zsh_reads_the_script(script_folder):
    script = 'autoload -Uz compinit && compinit -u -D; eval "$(affekt completion zsh)"; print $_comps[affekt]'
    assert shell("zsh", script, script_folder) == ["_affekt"]
