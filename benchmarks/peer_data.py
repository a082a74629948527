"""Pictures for peers.py: some of CIFAR-10 where it is, else made-up ones of the same size; in memory for everybody."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from affekt.data import open_stimuli
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError
from affekt.recipe import DataSettings

CLASSES, SIDE = 10, 32
COARSE = 8
"""Side of the pattern that a made-up class has; what is finer is noise."""

SIGNAL, NOISE = 12.0, 50.0
"""Standard deviations of a class's pattern and of the noise on each picture, of 255."""


def pictures(train: int, test: int) -> tuple[Stimuli, Stimuli, str]:
    """So many for training and test, the same for all who ask, and what they are."""
    try:
        data = open_stimuli(DataSettings(name="cifar10", image_size=SIDE))
    except DataError:
        return made_up(train, seed=1), made_up(test, seed=2), "made-up pictures"
    return some(data["train"], train), some(data["test"], test), "CIFAR-10"


def some(stimuli: Stimuli, n: int) -> Stimuli:
    """n of them, drawn once, decoded once."""
    rows = np.sort(np.random.default_rng(0).permutation(len(stimuli))[:n])
    return in_memory(stimuli.pictures.read(rows), stimuli.take(rows).labels)


def made_up(n: int, seed: int) -> Stimuli:
    """A pattern for each class under noise, moved by a few pixels: there is something to learn."""
    drawn = torch.Generator().manual_seed(0)
    patterns = F.interpolate(torch.randn(CLASSES, 3, COARSE, COARSE, generator=drawn), size=SIDE, mode="bilinear")
    drawn.manual_seed(seed)
    labels = torch.randint(0, CLASSES, (n,), generator=drawn)
    shifts = torch.randint(-4, 5, (n, 2), generator=drawn).tolist()
    moved = [patterns[k].roll((y, x), (1, 2)) for k, (y, x) in zip(labels.tolist(), shifts, strict=True)]
    noise = torch.randn(n, 3, SIDE, SIDE, generator=drawn)
    pixels = (127 + SIGNAL * torch.stack(moved) + NOISE * noise).clamp(0, 255).to(torch.uint8)
    names = tuple(f"class {k}" for k in range(CLASSES))
    return in_memory(pixels, Labels(categories=names, category=labels.numpy()))


def in_memory(pixels: torch.Tensor, labels: Labels) -> Stimuli:
    names = np.array([f"{i:06d}" for i in range(len(pixels))])
    return Stimuli(name="pictures", ids=names, pictures=ArrayPictures(pixels), labels=labels, groups=names)
