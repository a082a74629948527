"""Feed: the seam between kinds of data and the engine - items, labels and batches of every split."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from affekt.data.stimuli import Ints, Labels, Strings
from affekt.training.plan import Plan
from affekt.training.task import Batch


class Feed(ABC):
    """What a trainer trains on. A batch is a function of (seed, epoch, step) and its items, whoever asks and whenever.

    The trainer calls ``place`` once, then ``open`` for each split that it uses, before anything else of that split.
    """

    @property
    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """Of ``"train"``, ``"validation"``, ``"test"`` and ``"held-out"`` those that are there."""

    @abstractmethod
    def place(self, device: torch.device) -> None:
        """Where batches are wanted."""

    @abstractmethod
    def ids(self, split: str) -> Strings:
        """``(N,)`` what the items of a split are called."""

    @abstractmethod
    def labels(self, split: str) -> Labels:
        """Labels of the N items."""

    @abstractmethod
    def open(self, split: str) -> Any:
        """Make a split ready; returns what :meth:`Task.prepare` is shown of it, None for nothing."""

    @abstractmethod
    def training(self, plan: Plan, steps: range, *, rank: int, world: int, parts: int) -> Iterator[list[Batch]]:
        """For each of ``steps`` (all of one epoch) the parts of this process's share of the global batch, augmented."""

    @abstractmethod
    def evaluation(self, split: str, index_batches: Sequence[Ints]) -> Iterator[Batch]:
        """A batch for each of the index batches, as it is; items that cannot be read are absent from theirs."""

    @abstractmethod
    def identity(self, splits: Sequence[str]) -> dict[str, Any]:
        """All of the data and their changes that a training on these splits depends on, as JSON has it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of workers, if there are any."""
