"""Cases: the networks whose steps tell most of a machine, and the pictures of noise that they are timed on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import UsageError
from affekt.perception import AffectNetwork
from affekt.regulation import ClassificationTask, Classifier, EmotionalRegulation, RegulationTask
from affekt.training.precision import choose_precision
from affekt.training.task import Task

CLASSES = 10

POOL = 64
"""Different pictures; what they show does not change what a step costs."""

BATCHES = {
    ("resnet8", 32): {"cuda": (128, 1024), "cpu": (32, 128)},
    ("resnet18", 32): {"cuda": (128, 1024), "cpu": (16, 64)},
    ("mobilenet_v2", 96): {"cuda": (64, 512), "cpu": (16, 64)},
    ("resnet50", 224): {"cuda": (32, 128), "cpu": (4, 16)},
    ("vit_b_16", 224): {"cuda": (32, 96), "cpu": (2, 8)},
}
"""(Network, side of its pictures) -> device -> batch sizes: from what waits for launches to what computes."""

DEVICES = ("cuda", "cpu")

QUICK = ("resnet8", "resnet18", "resnet50")
"""Networks that are timed as Emotional Regulation too when it has to be quick."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network whose steps are timed: alone, or as Emotional Regulation with two more of its kind."""

    network: str
    image_size: int
    batch_size: int
    regulated: bool = False
    precision: str = "auto"

    @property
    def label(self) -> str:
        """``resnet50 at 224 px, regulated, batch 32``."""
        kind = ", regulated" if self.regulated else ""
        return f"{self.network} at {self.image_size} px{kind}, batch {self.batch_size}"


def cases(device: torch.device, *, quick: bool = False) -> list[Case]:
    """What tells most of a machine: networks alone and regulated, and in the other precision once each.

    Args:
        quick: one small batch of each network, few of them regulated.

    Raises:
        UsageError: a device that is neither a CPU nor a GPU of CUDA.
    """
    if device.type not in DEVICES:
        raise UsageError(f'"{device}": machines are measured on {" and ".join(DEVICES)}')
    auto = choose_precision("auto", device)
    other = "fp32" if auto == "bf16" else "bf16"
    found = []
    for (network, size), batches_on in BATCHES.items():
        batches = batches_on[device.type]
        small = Case(network=network, image_size=size, batch_size=batches[0] // (2 if quick else 1), precision=auto)
        for one in [small] if quick else [replace(small, batch_size=batch) for batch in batches]:
            found += [one, replace(one, regulated=True)] if not quick or network in QUICK else [one]
        if not quick or network == "resnet18":
            found.append(replace(small, precision=other))
    return found


def task_of(case: Case) -> Task:
    """With random weights."""
    if not case.regulated:
        return ClassificationTask(Classifier(case.network, CLASSES, case.image_size))
    emotional = AffectNetwork(case.network, {"ratings": ("valence", "arousal")}, case.image_size)
    return RegulationTask(EmotionalRegulation(case.network, CLASSES, case.image_size, emotional))


def noise(size: int, items: int) -> Stimuli:
    """Pictures of noise in ten classes."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (min(items, POOL), 3, size, size), dtype=torch.uint8, generator=draw)
    rows = np.arange(items)
    names = np.array([f"{row:06d}" for row in rows])
    return Stimuli(
        name="noise",
        ids=names,
        pictures=ArrayPictures(pixels, rows % len(pixels)),
        labels=Labels(categories=tuple(map(str, range(CLASSES))), category=(rows % CLASSES).astype(np.int64)),
        groups=names,
    )
