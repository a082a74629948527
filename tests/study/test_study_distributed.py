"""A whole run on two processes started by torchrun: one folder, written once; a second call finds it finished."""

import json
import os
import socket
import subprocess
import sys

import pytest
from small_recipe import write

from affekt.errors import UsageError
from affekt.recipe import load_recipe
from affekt.study.studying import study


def torchrun(recipe, out, *more, script=("-m", "affekt")):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += [*script, "train", str(recipe), "--condition", "learn-e-reg", "--out", str(out), *more]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_two_processes_share_one_run(tmp_path):
    recipe = write(tmp_path, epochs=2)
    done = torchrun(recipe, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["n"]["test"] == 16
    starts = [json.loads(line) for line in (tmp_path / "run" / "timing.jsonl").read_text().splitlines()]
    assert [line["processes"] for line in starts if line["kind"] == "start"] == [2]
    before = (tmp_path / "run" / "result.json").read_bytes()
    again = torchrun(recipe, tmp_path / "run")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "run" / "result.json").read_bytes() == before


ELSEWHERE = """
import os, sys
from affekt.cli import main
if os.environ["RANK"] == sys.argv.pop(1):
    sys.argv += ["--set", "target.root=/nowhere"]
sys.exit(main())
"""


def test_a_machine_without_the_data_is_named_before_anything_is_trained(tmp_path):
    recipe = write(tmp_path, epochs=1)
    script = tmp_path / "elsewhere.py"
    script.write_text(ELSEWHERE)
    found = torchrun(recipe, tmp_path / "run", script=(str(script), "1"))
    assert found.returncode != 0
    line = f"error: on {socket.gethostname()} (process 1) and not on the others: folder: "
    # By each of the processes, of which the second may be ended while it says so.
    assert line in found.stderr
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.batch_size=1", "training.batch_size = 1: too few items for 2 processes"),
        ("emotional.training.batch_size=1", "emotional.training.batch_size = 1: too few items for 2 processes"),
        ("training.epoks=1", "epoks"),  # before the processes have joined
    ],
)
def test_what_all_processes_find_is_said_by_one_and_nothing_is_left(tmp_path, change, said):
    found = torchrun(write(tmp_path, epochs=1), tmp_path / "run", "--set", change)
    assert found.returncode != 0
    lines = [line for line in found.stderr.splitlines() if "affekt: error" in line]
    assert len(lines) == 1 and said in lines[0], found.stderr
    assert not (tmp_path / "run").exists()


def test_a_study_is_not_for_torchrun(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="a study on 2 processes of torchrun: start it without"):
        study(load_recipe(write(tmp_path, epochs=1)), out=tmp_path / "st")
    assert not (tmp_path / "st").exists()
