"""Constant: weights that somebody chose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from affekt.errors import UsageError, unknown
from affekt.weighting._base import WeightedSum


class Constant(WeightedSum):
    """``w_i`` as given in ``weights``

    Args:
        tasks: the names of the losses.
        weights: one for each task, in their order, or by name; 0 or more.

    Raises:
        UsageError: another number of weights, an unknown name, or a weight that is negative or none.
    """

    name = "constant"
    watched = False

    def __init__(self, tasks: Sequence[str], weights: Sequence[float] | Mapping[str, float]) -> None:
        super().__init__(tasks)
        if isinstance(weights, Mapping):
            for task in weights:
                if task not in self.tasks:
                    raise UsageError(unknown("weights: task", task, self.tasks))
            weights = [weights[task] for task in self.tasks if task in weights]
        if len(weights) != len(self.tasks):
            raise UsageError(
                f"weights: {len(weights)} for {len(self.tasks)} tasks; give one for each of {', '.join(self.tasks)}"
            )
        if not all(math.isfinite(w) and w >= 0 for w in weights):
            raise UsageError(f"weights {list(weights)}: 0 or more each")
        self.given = tuple(float(w) for w in weights)

    @property
    def settings(self) -> dict[str, Any]:
        return {"weights": self.given}

    def _weigh(self, losses: Tensor) -> Tensor:
        return losses.new_tensor(self.given)
