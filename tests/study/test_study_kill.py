"""kill -9 at random moments, through the command, for both tasks: the run that nobody disturbed, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_recipe import write

KILLS = int(os.environ.get("AFFEKT_KILLS", "10"))
"""For each of the two tasks."""

COMPARED = (
    "log.jsonl",
    "result.json",
    "predictions.npz",
    "recipe.toml",
    "model/model.safetensors",
    "model/config.json",
)
TRAINED = (*COMPARED, *(f"emotional/{name}" for name in COMPARED))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return write(tmp_path_factory.mktemp("kill"), epochs=6)


def command(verb, recipe, out):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "affekt", verb, str(recipe), "--out", str(out)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(verb, recipe, out):
    process = command(verb, recipe, out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def contents(out: Path, names):
    return {name: (out / name).read_bytes() for name in names}


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "names"), [("pretrain", COMPARED), ("train", TRAINED)])
def test_killed_run_ends_bit_identical(recipe, tmp_path, verb, names):
    begun = time.monotonic()
    finish(verb, recipe, tmp_path / "undisturbed")
    seconds = time.monotonic() - begun
    expected = contents(tmp_path / "undisturbed", names)
    draw = random.Random(1)
    kills = runs = 0
    while kills < KILLS:
        out = tmp_path / f"run-{runs}"
        runs += 1
        killed_here = 0
        while True:
            process = command(verb, recipe, out)
            try:
                # After a few kills a run may end, so that more than one whole run is seen.
                patience = draw.uniform(0.3 * seconds, seconds) if killed_here < 5 else None
                _, errors = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                killed_here += 1
                continue
            assert process.returncode == 0, errors
            break
        found = contents(out, names)
        assert [n for n in names if found[n] != expected[n]] == []
    print(f"{verb}: {kills} kills in {runs} runs")
