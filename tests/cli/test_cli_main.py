"""The command as a whole: exit codes, one line an error, no torch before it is needed."""

import errno
import os
import re
import signal
import subprocess
import sys

import pytest

import affekt
from affekt.cli import doctor, main
from affekt.cli.parsing import VERBS
from affekt.errors import AffektError, UsageError


def failing(error):
    def run(args):
        raise error

    return run


def test_version(call):
    answer = call("--version")
    assert (answer.code, answer.out) == (0, f"affekt {affekt.__version__}\n")


def test_no_arguments_show_the_help(call):
    answer = call()
    assert answer.code == 0
    assert "VERB" in answer.out


@pytest.mark.parametrize("module", ["affekt", "affekt.cli"])
def test_runs_as_a_module(module):
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("affekt ")


@pytest.mark.parametrize("words", ["--help", "train --help", "data --help", "recipes", "__complete train --set t"])
def test_answers_without_importing_torch_or_numpy(words):
    code = "import sys; from affekt.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "affekt.cli.train" in loaded
    assert not loaded & {"torch", "numpy", "pandas", "rich", "tyro", "timm"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["trian"], 2, r'verb "trian": unknown. Nearest: train'),
        (["train"], 2, "the following arguments are required: RECIPE"),
        (["train", "quickstart", "--sed", "3"], 2, 'option "--sed": unknown. Nearest: --seed'),
        (["train", "quickstart", "--sed=3"], 2, 'option "--sed": unknown. Nearest: --seed'),
        (["study", "quickstart", "--launcher", "slurm"], 2, 'option "--launcher": unknown. Nearest: --executor. All:'),
        (["study", "quickstart", "--backend=ray"], 2, 'option "--backend": unknown. Nearest: --executor. All:'),
        (["train", "quickstart", "--output_dir", "x"], 2, 'option "--output_dir": unknown. Nearest: --out. All:'),
        (
            ["study", "quickstart", "--gpu-share", "half"],
            2,
            '"half": a number above 0 and up to 1 was expected, e.g. 0.5',
        ),
        (["study", "quickstart", "--gpu-share", "2"], 2, '"2": a number above 0 and up to 1 was expected'),
        (["train", "quickstart", "more"], 2, '"more": one argument too many'),
        (["train", "quickstart", "--seed", "-1"], 2, "--seed"),
        (["train", "quickstart", "--seed", "x"], 2, '"x": a whole number, 0 or more, was expected'),
        (["predict", "m", "p.png", "--top", "0"], 2, '"0": a whole number, 1 or more, was expected'),
        (["evaluate", "m", "--split", "tset"], 2, '--split "tset": unknown. Nearest: test'),
        (["completion", "fsh"], 2, 'shell "fsh": unknown. Nearest: fish'),
    ],
)
def test_wrong_calls_get_one_line_with_the_nearest(call, words, code, message):
    answer = call(*words)
    assert answer.code == code
    assert message in answer.error
    assert answer.out == ""


def test_options_are_not_guessed_from_their_beginning(call):
    assert 'option "--see": unknown' in call("train", "quickstart", "--see", "3").error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("wrong call"), 2, "wrong call"),
        (AffektError("two\nlines"), 1, "two lines"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "log.jsonl"), 1, "No space left on device: log.jsonl"),
        (KeyError("x"), 1, "KeyError: 'x' (unexpected; see the traceback with AFFEKT_DEBUG=1"),
        (RuntimeError(), 1, "RuntimeError (unexpected"),
    ],
)
def test_exceptions_become_one_line(call, monkeypatch, error, code, message):
    monkeypatch.setattr(doctor, "run", failing(error))
    answer = call("doctor")
    assert answer.code == code
    assert answer.error.startswith(message)


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setattr(doctor, "run", failing(KeyError("x")))
    monkeypatch.setenv("AFFEKT_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["doctor"])


def test_interruption_says_how_to_go_on(call, monkeypatch):
    monkeypatch.setattr(doctor, "run", failing(KeyboardInterrupt()))
    answer = call("doctor")
    assert (answer.code, answer.err) == (130, "affekt: interrupted; run the same command again to go on\n")


def test_signal_interrupts_in_one_line():
    # A shell starts its background jobs with SIGINT ignored, and their children inherit that: these tests may be one.
    code = (
        "import signal, sys, time; from affekt.cli import doctor, main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "doctor.run = lambda args: (print('ready', flush=True), time.sleep(60))\n"
        "sys.exit(main(['doctor']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert "interrupted" in err


def test_a_reader_that_goes_away_is_no_error():
    code = "import sys; from affekt.cli import main; sys.stdin.read(); sys.exit(main(['recipes']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    process.stdin.close()
    err = process.stderr.read()
    assert (process.wait(30), err) == (141, "")


def test_help_of_every_verb_says_what_it_does(call):
    listed = re.findall(r"^    ([\w-]+)", call("--help").out, flags=re.MULTILINE)
    assert len(listed) == len(VERBS)
    for verb in listed:
        text = call(verb, "--help").out
        assert text.startswith(f"usage: affekt {verb}")
        assert text.split("\n\n")[1].strip()
