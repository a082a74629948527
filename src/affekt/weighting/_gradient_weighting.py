"""Gradient weighting: rules that make one direction from the gradients of all tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from affekt.errors import UsageError
from affekt.weighting._base import Weighting
from affekt.weighting._gradients import Row, task_gradients

Total = Callable[[Tensor], Tensor]
"""The sum over processes, in place."""


def alone(tensor: Tensor) -> Tensor:
    """The sum over one process."""
    return tensor


class GradientWeighting(Weighting):
    """A rule that looks at each task's gradient.

    It balances the parameters that two tasks or more reach. A parameter that one task alone reaches (its head) gets
    that task's own gradient, weight 1; one that no task reaches, or that needs none, gets nothing. Which task reaches
    what is read off the graph. With one task there is nothing to balance.

    ``collect`` may be called for several parts of a batch before one ``settle``, and gradients are added up over
    processes before the rule sees them: it always sees those of the whole batch.
    """

    needs_gradients = True

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self._learning: list[Tensor] = []
        self._rows: list[Row] = []

    def backward(self, losses: Mapping[str, Tensor], parameters: Iterable[Tensor] = ()) -> dict[str, Tensor]:
        """Add the direction that the rule finds to ``.grad`` of ``parameters``; returns the weights, if it has any.

        Raises:
            UsageError: no parameter that learns, or none that two tasks reach; or as :meth:`forward`.
            TrainingError: the rule cannot work with these gradients.
        """
        self.collect(losses, parameters)
        weights = self.settle()
        return {} if weights is None else self.named(weights)

    def collect(self, losses: Mapping[str, Tensor], parameters: Iterable[Tensor], share: float = 1.0) -> None:
        """Take in the gradients of a part of a batch, which counts by its ``share``."""
        self._learning = [p for p in parameters if p.requires_grad]
        if not self._learning:
            raise UsageError(
                f'weighting "{self.name}" weighs gradients: give the parameters too, weighting.backward(losses, '
                "model.parameters())"
            )
        rows = task_gradients([loss * share for loss in self._ordered(losses)], self._learning)
        self._rows = [_added(a, b) for a, b in zip(self._rows, rows, strict=True)] if self._rows else rows

    def forget(self) -> None:
        """Let go of what was collected: a batch that was given up half-way is begun again."""
        self._rows, self._learning = [], []

    @torch.no_grad()
    def settle(self, total: Total = alone) -> Tensor | None:
        """Write what the rule makes of all that was collected; the ``(n,)`` weights, None without any."""
        rows, learning = self._rows, self._learning
        self.forget()
        reach = [sum(row[i] is not None for row in rows) for i in range(len(learning))]
        own, shared = ([i for i, n in enumerate(reach) if n and (n > 1) == several] for several in (False, True))
        if not shared and len(self.tasks) > 1:
            raise UsageError(
                f'weighting "{self.name}": no parameter is reached by two of {", ".join(self.tasks)}; '
                'there is nothing to balance, use name = "sum"'
            )
        # One vector, so that several processes exchange it at once: what is single tasks' own, then a row a task.
        single = _flat([next(row[i] for row in rows if row[i] is not None) for i in own], [learning[i] for i in own])
        balanced = [part for row in rows for part in _flat([row[i] for i in shared], [learning[i] for i in shared])]
        everything = total(torch.cat([*single, *balanced]))
        size = sum(len(part) for part in single)
        _add([learning[i] for i in own], everything[:size])
        if not shared:
            return torch.ones_like(everything[:1]) if self.has_weights else None
        direction, weights = self._aggregate(everything[size:].view(len(rows), -1))
        _add([learning[i] for i in shared], direction)
        return weights

    @abstractmethod
    def _aggregate(self, matrix: Tensor) -> tuple[Tensor, Tensor | None]:
        """``(n, P)``, a task's gradient a row, n >= 2 -> ``(P,)`` direction; its ``(n,)`` weights, if it has any."""

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        del losses
        raise UsageError(
            f'weighting "{self.name}" weighs gradients and has no scalar: call weighting.backward(losses, '
            "model.parameters()) instead"
        )


def _added(one: Row, other: Row) -> Row:
    return tuple(b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True))


def _flat(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Vectors; zeros where a loss does not reach a parameter."""
    pairs = zip(gradients, parameters, strict=True)
    return [p.new_zeros(p.numel()) if g is None else g.reshape(-1) for g, p in pairs]


def _add(parameters: Sequence[Tensor], flat: Tensor) -> None:
    """Add to ``.grad``, which has the memory layout of the parameter: fused optimisers walk through both at once."""
    for parameter, part in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
        gradient = part.view(parameter.shape)
        if parameter.grad is None:
            parameter.grad = torch.empty_like(parameter, requires_grad=False).copy_(gradient)
        else:
            parameter.grad.add_(gradient)
