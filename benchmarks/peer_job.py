"""What all loops of peer_loops.py do: network, pictures, optimiser, schedule, and how they are timed and scored.

A clock on a GPU waits for it; the clock stands still during evaluations, which one code does for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from affekt import Classifier
from affekt.data.stimuli import Stimuli
from affekt.training.precision import autocast

MEAN, SD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all of them do.

    Attributes:
        equal: everybody in the same precision, channels-last, with as many workers, pinned memory and a search for fast
            kernels; else each as it comes.
        precision: ``"fp32"`` or ``"bf16"``: of everybody, where ``equal``.
        workers: processes that load pictures, where ``equal``.
        train, test: pictures of 32 x 32 pixels, in memory.
    """

    network: str
    epochs: int
    batch: int
    learning_rate: float
    equal: bool
    train: Stimuli
    test: Stimuli
    device: torch.device
    precision: str = "fp32"
    workers: int = 2
    seed: int = 0

    @property
    def steps(self) -> int:
        """Optimiser steps of all epochs; what does not fill a batch is left out."""
        return self.epochs * (len(self.train) // self.batch)

    def classifier(self) -> Classifier:
        torch.manual_seed(self.seed)
        return Classifier(self.network, len(self.train.labels.categories), 32)

    def plain(self) -> nn.Module:
        """Normalised pictures -> logits, with the initial weights that all start from."""
        whole = self.classifier()
        return nn.Sequential(whole.backbone, whole.head).to(self.device, memory_format=self.layout)

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.equal else torch.contiguous_format

    @property
    def bf16(self) -> bool:
        """Whether the peers compute in bfloat16: none does unless it is asked to."""
        return self.equal and self.precision == "bf16"

    def autocast(self) -> AbstractContextManager[None]:
        return autocast(self.device, "bf16" if self.bf16 else "fp32")

    @property
    def pinned(self) -> bool:
        return self.equal and self.device.type == "cuda"

    def loader(self, by_default: int) -> DataLoader[Any]:
        """As the tutorials have it, augmented pictures in random order; workers stay from epoch to epoch."""
        workers = self.workers if self.equal else by_default
        return DataLoader(
            Pictures(self.train, augmented()),
            batch_size=self.batch,
            shuffle=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=self.pinned,
            drop_last=True,
        )

    def optimiser(self, model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            model.parameters(), lr=self.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )

    def schedule(self, optimiser: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)


Epoch = tuple[float, float]
"""Seconds of training so far, without evaluations; share of test pictures that are right."""


class Pictures(Dataset):  # type: ignore[type-arg]
    """What torchvision.datasets.CIFAR10 does for an item: an array to a PIL picture, then transforms."""

    def __init__(self, stimuli: Stimuli, transform: Callable[[Any], Any]) -> None:
        self.arrays = arrays(stimuli).transpose(0, 2, 3, 1).copy()
        self.labels = stimuli.labels.category
        self.transform = transform

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        assert self.labels is not None
        return self.transform(Image.fromarray(self.arrays[index])), int(self.labels[index])


def arrays(stimuli: Stimuli) -> NDArray[np.uint8]:
    """``(N, 3, 32, 32)``."""
    return stimuli.pictures.read(np.arange(len(stimuli))).numpy()


def augmented() -> Callable[[Any], Any]:
    """The transforms of a tutorial on CIFAR-10."""
    return transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, SD),
        ]
    )


@torch.inference_mode()
def right(model: nn.Module, job: Job) -> float:
    """Share of the test pictures, by one code for all but affekt, which scores its validation split itself."""
    training = model.training
    model.eval()
    assert job.test.labels.category is not None
    labels = torch.as_tensor(job.test.labels.category, device=job.device)
    mean, sd = (torch.tensor(x, device=job.device).view(1, 3, 1, 1) for x in (MEAN, SD))
    found = 0
    for rows in torch.arange(len(job.test)).split(500):
        images = job.test.pictures.read(rows.numpy()).to(job.device).float() / 255
        said = model(((images - mean) / sd).to(memory_format=job.layout)).argmax(1)
        found += int((said == labels[rows]).sum())
    model.train(training)
    return found / len(job.test)


class Watch:
    """A clock that stands still between ``stop`` and ``start``."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.spent = device, 0.0
        self.start()

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def stop(self) -> float:
        self.spent += self.now() - self._since
        return self.spent

    def start(self) -> None:
        self._since = self.now()
