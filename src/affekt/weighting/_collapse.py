"""Collapse: a task that has had next to no weight for a long time, seen as the weights come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

THRESHOLD = 0.05
"""Share of the weight below which a task is hardly learned."""

PATIENCE = 200
"""Steps in a row; fewer may be a bad batch, or a rule that draws its weights."""

ROUNDING = 1e-6
"""A floor of just the threshold is no collapse."""


@dataclass(frozen=True)
class Collapse:
    """A task whose share has been under the threshold for ``PATIENCE`` steps in a row.

    Attributes:
        task: its name.
        step: the step, from 1, that completed them.
        share: at that step.
    """

    task: str
    step: int
    share: float


class CollapseWatch:
    """Counts, task by task, for how many steps in a row the share of the weight was too small; says each task once.

    Args:
        tasks: their names.
        threshold: share of the whole; None: 0.05, and half of an equal share where there are more than ten tasks.
        patience: steps in a row.
    """

    def __init__(self, tasks: Sequence[str], *, threshold: float | None = None, patience: int = PATIENCE) -> None:
        self.tasks = tuple(tasks)
        self.threshold = min(THRESHOLD, 0.5 / len(self.tasks)) if threshold is None else threshold
        self.patience = patience
        self._low = [0] * len(self.tasks)
        self._said = [False] * len(self.tasks)

    def look(self, shares: Tensor, step: int) -> list[Collapse]:
        """The tasks that have collapsed within some steps, each the first time.

        Args:
            shares: ``(T, n)`` of the steps, as :meth:`Weighting.shares` gives them.
            step: number of steps before these.
        """
        low = (shares < self.threshold - ROUNDING).tolist()
        found = []
        for index, task in enumerate(self.tasks):
            for row, one in enumerate(low):
                self._low[index] = self._low[index] + 1 if one[index] else 0
                if self._low[index] >= self.patience and not self._said[index]:
                    self._said[index] = True
                    found.append(Collapse(task, step + row + 1, float(shares[row, index])))
        return sorted(found, key=lambda collapse: collapse.step)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"low": list(self._low), "said": list(self._said)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._low, self._said = list(state["low"]), list(state["said"])


def collapse_message(name: str, collapse: Collapse, watch: CollapseWatch, instead: str) -> str:
    """One line for people: what happened, and what to use instead."""
    return (
        f'weighting "{name}": {collapse.task} has had under {watch.threshold:.3g} of the weight for {watch.patience} '
        f"steps (now {collapse.share:.2g}, step {collapse.step}) and is hardly learned any more; {instead}"
    )
