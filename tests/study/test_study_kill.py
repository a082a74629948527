"""kill -9 at random moments, through the command, for both tasks: the run that nobody disturbed, bit for bit."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

KILLS = int(os.environ.get("AFFEKT_KILLS", "12"))
"""For each of the two tasks."""

RECIPE = """
name = "kill"
[affective]
name = "table"
root = "{root}/affective"
image_size = 32
options = {{table = "table.csv", scale = "1..9"}}
[emotional]
backbone = "resnet8"
ratings = ["valence"]
dropout = 0.2
[emotional.training]
epochs = 6
batch_size = 8
learning_rate = 0.01
checkpoint_every = 3
log_every = 1
ema = 0.9
[target]
name = "folder"
root = "{root}/target"
image_size = 32
[model]
backbone = "resnet8"
dropout = 0.1
[regulation]
influence = "initialised"
[weighting]
name = "softmax"
[augmentation]
cutout = 8
mixup = 0.2
[training]
epochs = 6
batch_size = 8
learning_rate = 0.01
checkpoint_every = 3
log_every = 1
clip = 1.0
threads = 1
"""

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
    root = tmp_path_factory.mktemp("kill")
    rng = np.random.default_rng(0)
    (root / "affective").mkdir()
    with (root / "affective" / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "valence"])
        for i in range(48):
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(root / "affective" / f"{i}.png")
            rows.writerow([f"{i}.png", round(float(rng.uniform(1, 9)), 2)])
    for name in ("a", "b"):
        (root / "target" / name).mkdir(parents=True)
        for i in range(40):
            pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "target" / name / f"{i}.png")
    path = root / "kill.toml"
    path.write_text(RECIPE.format(root=root))
    return path


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
