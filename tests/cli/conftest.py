"""Calling the command in this process, and small inputs for it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from affekt.cli import main


@dataclass(frozen=True)
class Answer:
    """What a call gave back."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of error; fails if there is more than one, or a traceback."""
        lines = [line for line in self.err.splitlines() if line.startswith("affekt: error: ")]
        assert len(lines) == 1 and "Traceback" not in self.err, self.err
        return lines[0].removeprefix("affekt: error: ")


@pytest.fixture
def call(capsys, monkeypatch):
    """``call("train", ...)`` -> :class:`Answer`, in this process."""
    monkeypatch.delenv("AFFEKT_DEBUG", raising=False)

    def run(*words) -> Answer:
        capsys.readouterr()
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def spawn():
    """``spawn("train", ..., stdin="")`` -> :class:`Answer` of a process of its own."""

    def run(*words, stdin: str = "", **environment) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "affekt.cli", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


SMALL = """
name = "small"
[affective]
name = "table"
root = "affective"
image_size = 32
options = {file = "table.csv", scale = "1..9"}
[emotional]
backbone = "resnet8-w4"
ratings = ["valence"]
[emotional.training]
epochs = 1
batch_size = 8
learning_rate = 0.01
threads = 1
[target]
name = "folder"
root = "target"
image_size = 32
[model]
backbone = "resnet8-w4"
[training]
epochs = 1
batch_size = 8
learning_rate = 0.01
threads = 1
[conditions.brief]
"target.train_limit" = 16
"""


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """A folder with 30 rated pictures, 2 x 20 pictures with classes and ``small.toml`` around them."""
    root = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(0)
    rows = ["path,valence"]
    (root / "affective").mkdir()
    for number in range(30):
        brightness = int(rng.integers(0, 150))
        picture(root / "affective" / f"{number}.png", brightness, rng)
        rows.append(f"{number}.png,{1 + brightness / 20:.2f}")
    (root / "affective" / "table.csv").write_text("\n".join(rows) + "\n")
    for name, brightness in (("dark", 0), ("light", 100)):
        (root / "target" / name).mkdir(parents=True)
        for number in range(20):
            picture(root / "target" / name / f"{number}.png", brightness, rng)
    (root / "small.toml").write_text(SMALL)
    return root


def picture(path, brightness, rng):
    Image.fromarray(rng.integers(brightness, brightness + 100, (32, 32, 3), dtype=np.uint8)).save(path)


@pytest.fixture
def small(small_data, tmp_path, monkeypatch):
    """The working folder with a copy of the small data; returns it."""
    folder = tmp_path / "work"
    shutil.copytree(small_data, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def small_runs(small_data):
    """``runs/emotional`` and ``runs/regulated`` of the small recipe, trained once; the folder they stand in."""
    before = Path.cwd()
    os.chdir(small_data)
    try:
        assert main(["pretrain", "small.toml", "--out", "runs/emotional"]) == 0
        regulated = ["--out", "runs/regulated", "--emotional", "runs/emotional/model", "--condition", "learn-e-reg"]
        assert main(["train", "small.toml", *regulated]) == 0
    finally:
        os.chdir(before)
    return small_data / "runs"
