"""What all loops of peer_loops.py do: network, pictures, optimiser, schedule, and how they are timed and scored."""

from __future__ import annotations

import time
from collections.abc import Callable
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

MEAN, SD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all of them do.

    Attributes:
        equal: everybody in float32 and channels-last; else each as it comes.
        train, test: N pictures of CIFAR-10.
    """

    network: str
    epochs: int
    batch: int
    learning_rate: float
    equal: bool
    train: Stimuli
    test: Stimuli
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
        return nn.Sequential(whole.backbone, whole.head).to(memory_format=self.layout)

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.equal else torch.contiguous_format

    def loader(self) -> DataLoader[Any]:
        """As the tutorials have it: augmented pictures in random order, by two workers."""
        return DataLoader(
            Pictures(self.train, augmented()), batch_size=self.batch, shuffle=True, num_workers=2, drop_last=True
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
    mean, sd = (torch.tensor(x).view(1, 3, 1, 1) for x in (MEAN, SD))
    found = 0
    for begin in range(0, len(job.test), 500):
        rows = range(begin, min(begin + 500, len(job.test)))
        images = job.test.pictures.read(np.asarray(rows)).float() / 255
        said = model(((images - mean) / sd).to(memory_format=job.layout)).argmax(1).numpy()
        found += int((said == job.test.labels.category[rows.start : rows.stop]).sum())
    model.train(training)
    return found / len(job.test)


class Watch:
    """A clock that stands still during evaluations."""

    def __init__(self) -> None:
        self.spent, self._since = 0.0, time.perf_counter()

    def stop(self) -> float:
        self.spent += time.perf_counter() - self._since
        return self.spent

    def start(self) -> None:
        self._since = time.perf_counter()
