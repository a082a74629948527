"""Small real pictures on disk and a recipe around them, for tests of whole runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

RECIPE = """
name = "small"
[affective]
name = "table"
root = "{root}/affective"
image_size = 32
options = {{file = "table.csv", scale = "1..9"}}
[emotional]
backbone = "resnet8"
ratings = ["valence"]
dropout = 0.2
[emotional.training]
epochs = {epochs}
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
epochs = {epochs}
batch_size = 8
learning_rate = 0.01
checkpoint_every = 3
log_every = 1
clip = 1.0
"""


ONE_THREAD = [
    "training.precision=fp32",
    "emotional.training.precision=fp32",
    "training.threads=1",
    "emotional.training.threads=1",
]
"""Changes under which a run is the same beside other work."""


def write(root: Path, *, epochs: int, contrast: int = 100) -> Path:
    """48 affective and 80 target pictures of noise whose brightness carries the label; returns the recipe's path.

    ``contrast``: how much brighter the second class is; of 100 none is mistaken, of 6 many are.
    """
    rng = np.random.default_rng(0)

    def picture(path: Path, brightness: int) -> None:
        pixels = rng.integers(brightness, brightness + 100, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)

    (root / "affective").mkdir()
    with (root / "affective" / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "valence", "place"])
        for i in range(48):
            brightness = int(rng.integers(0, 150))
            picture(root / "affective" / f"{i}.png", brightness)
            rows.writerow([f"{i}.png", round(1 + brightness / 20, 2), ("indoors", "outdoors")[i % 2]])
    for name, brightness in (("dark", 0), ("light", contrast)):
        (root / "target" / name).mkdir(parents=True)
        for i in range(40):
            picture(root / "target" / name / f"{i}.png", brightness)
    path = root / "small.toml"
    path.write_text(RECIPE.format(root=root, epochs=epochs))
    return path
