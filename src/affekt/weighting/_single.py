"""Single: one task alone, the others are not learned; what a joint model is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from affekt.errors import UsageError, unknown
from affekt.weighting._base import Weighting


class Single(Weighting):
    """``w_i = 1`` for ``task``, 0 for every other

    What only the other tasks reach gets no gradient, not one of zero: it stays as it is.

    Args:
        tasks: the names of the losses.
        task: the one that is learned.

    Raises:
        UsageError: no such task.
    """

    name = "single"
    watched = False
    collapse = "all but one, by design"

    def __init__(self, tasks: Sequence[str], task: str) -> None:
        super().__init__(tasks)
        if task not in self.tasks:
            raise UsageError(unknown("task", task, self.tasks))
        self.task = task

    @property
    def settings(self) -> dict[str, Any]:
        return {"task": self.task}

    def weigh(self, losses: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        # Of the losses one by one: through their stack, the chosen one would reach what the others learn, with zeros.
        return self._combine(self._ordered(losses))

    def _combine(self, losses: Sequence[Tensor] | Tensor) -> tuple[Tensor, Tensor]:
        chosen = losses[self.tasks.index(self.task)]
        return chosen, chosen.detach().new_tensor([float(t == self.task) for t in self.tasks])
