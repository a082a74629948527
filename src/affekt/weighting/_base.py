"""Weighting: named losses in, one scalar out; what every rule has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from affekt.errors import UsageError


class Weighting(nn.Module, ABC):
    """A weighted sum of named losses, ``sum_i w_i L_i``; a rule says what the weights are.

    Args:
        tasks: the names of the losses, all different; their order is that of the weights and never changes.

    Raises:
        UsageError: no name, or one given twice.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        if isinstance(tasks, str) or not tasks or len(set(tasks)) != len(tasks):
            raise UsageError(f"weighting tasks {tasks!r}: give a list of different names, one for each loss")
        self.tasks = tuple(tasks)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The scalar to call ``backward`` on, float32.

        Raises:
            UsageError: a loss is missing, is not one of ``tasks``, or is not a scalar.
        """
        stacked = self._stacked(losses)
        return (self._weigh(stacked) * stacked).sum()

    @torch.no_grad()
    def weights(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Task -> the weight that its loss has in ``forward(losses)``: detached scalars, in the order of ``tasks``."""
        weights = self._weigh(self._stacked(losses)).detach()
        return dict(zip(self.tasks, weights.unbind(), strict=True))

    @abstractmethod
    def _weigh(self, losses: Tensor) -> Tensor:
        """``(n,)`` losses -> ``(n,)`` weights."""

    def _stacked(self, losses: Mapping[str, Tensor]) -> Tensor:
        """``(n,)`` float32 (float64 if the losses are), in the order of ``tasks`` whatever that of ``losses``."""
        if set(losses) != set(self.tasks):
            missing = [t for t in self.tasks if t not in losses]
            extra = [t for t in losses if t not in self.tasks]
            found = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unknown: {', '.join(extra)}"] * bool(extra)
            raise UsageError(
                f"weighting of {', '.join(self.tasks)}: {'; '.join(found)}; create it with tasks=list(losses)"
            )
        wrong = {name: tuple(loss.shape) for name, loss in losses.items() if loss.ndim}
        if wrong:
            name, shape = next(iter(wrong.items()))
            raise UsageError(f'loss "{name}" has shape {shape}; give a scalar, e.g. its mean over the batch')
        stacked = torch.stack([losses[t] for t in self.tasks])
        return stacked if stacked.dtype == torch.float64 else stacked.float()
