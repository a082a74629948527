"""Scoring: evaluations of a trainer, with fewer items at once where memory is too small for those that were asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import torch

from affekt.errors import TrainingError
from affekt.recipe import TrainingSettings
from affekt.training.distributed import Processes
from affekt.training.evaluation import evaluate, fits
from affekt.training.faults import table_of
from affekt.training.feed import Feed
from affekt.training.full_memory import FULL, is_full, let_go
from affekt.training.results import Evaluation
from affekt.training.task import Task


@dataclass(kw_only=True)
class Scoring:
    """Scores splits with the weights that the task has.

    Attributes:
        hint: the recipe line of the training's learning rate, whose table holds the other settings too.
        at_once: items at once; fewer than asked for once memory was full, with ``halve_when_full``.
    """

    task: Task
    feed: Feed
    settings: TrainingSettings
    device: torch.device
    precision: str
    processes: Processes
    seed: int
    hint: str
    at_once: int = 0

    def __post_init__(self) -> None:
        self.at_once = self.at_once or self.settings.evaluation_batch_size

    @property
    def notes(self) -> tuple[str, ...]:
        """For the result."""
        asked = self.settings.evaluation_batch_size
        return () if self.at_once == asked else (f"{FULL}: evaluated {self.at_once} items at once",)

    def evaluate(self, split: str) -> Evaluation:
        """
        Raises:
            TrainingError: the batches do not fit; how many items do.
        """
        while True:
            try:
                return evaluate(
                    self.task, split, self.feed, batch_size=self.at_once, processes=self.processes, **self._machine()
                )
            except Exception as error:
                if not is_full(error) or self.at_once == 1 or self.processes.world > 1:
                    raise
            let_go(self.device)
            if not self.settings.halve_when_full:
                self._advise(split)
            self.at_once //= 2

    def _machine(self) -> dict[str, Any]:
        return {"device": self.device, "precision": self.precision, "seed": self.seed}

    def _advise(self, split: str) -> NoReturn:
        """
        Raises:
            TrainingError: always; with the items that fit.
        """
        size = self.at_once // 2
        while size and not fits(self.task, split, self.feed, batch_size=size, **self._machine()):
            let_go(self.device)
            size //= 2
        advice = (
            f"{size} fit (tried): set [{table_of(self.hint)}] evaluation_batch_size = {size}, or halve_when_full = true"
        )
        raise TrainingError(
            f"{split}: the memory of {self.device} is full with {self.at_once} items at once in evaluation; "
            f"{advice if size else 'not even one fits'}"
        )
