"""Selection: the best weights by the validation score, and when to stop looking for better ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from affekt.errors import UsageError, unknown
from affekt.training.task import Task


@dataclass(kw_only=True)
class Selection:
    """The best validation so far. A score that is no number (NaN) is never the best; of equal ones the first is.

    Attributes:
        monitor: name of the metric.
        higher_is_better: its direction.
        early_stop: epochs without a better score after which to stop; None: never.
        score, epoch: of the best; the epoch counts from 1.
        weights: the weights that had it.
    """

    monitor: str
    higher_is_better: bool = True
    early_stop: int | None = None
    score: float | None = None
    epoch: int | None = None
    weights: dict[str, Tensor] | None = None

    @classmethod
    def of(cls, task: Task, early_stop: int | None) -> Selection:
        """The selection that a task asks for."""
        return cls(monitor=task.monitor, higher_is_better=task.higher_is_better, early_stop=early_stop)

    def offer(self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], dict[str, Tensor] | None]) -> bool:
        """Whether the weights of ``epoch`` are the best so far; they are copied only then.

        Raises:
            UsageError: the metrics lack the monitored one.
        """
        if self.monitor not in metrics:
            raise UsageError(unknown("monitor", self.monitor, metrics))
        score = float(metrics[self.monitor])
        if not self._better(score):
            return False
        self.score, self.epoch, self.weights = score, epoch, weights()
        return True

    def _better(self, score: float) -> bool:
        if math.isnan(score):
            return False
        if self.score is None:
            return True
        return score > self.score if self.higher_is_better else score < self.score

    def should_stop(self, epoch: int) -> bool:
        """Whether ``early_stop`` epochs have passed since the best one (since the start, where there is none)."""
        return self.early_stop is not None and epoch - (self.epoch or 0) >= self.early_stop

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the weights."""
        return {"score": self.score, "epoch": self.epoch}

    def load(self, state: Mapping[str, Any], weights: dict[str, Tensor] | None) -> None:
        """Go on from a checkpoint."""
        self.score, self.epoch, self.weights = state["score"], state["epoch"], weights
