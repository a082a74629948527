"""Aggregated: torchjd's aggregators - one direction from the gradients of all tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.weighting._foreign import Foreign
from affekt.weighting._gradients import Row, task_gradients
from affekt.weighting._torchjd_rules import Rule

Total = Callable[[Tensor], Tensor]
"""The sum over processes, in place."""


def alone(tensor: Tensor) -> Tensor:
    """The sum over one process."""
    return tensor


class Aggregated(Foreign):
    """An aggregator of torchjd as a weighting.

    It balances the parameters that two tasks or more reach. A parameter that one task alone reaches (its head) gets
    that task's own gradient, weight 1; one that no task reaches, or that needs none, gets nothing. Which task reaches
    what is read off the graph. With one task there is nothing to balance.

    ``collect`` may be called for several parts of a batch before one ``settle``, and gradients are added up over
    processes before the rule sees them: it always sees those of the whole batch.
    """

    needs_gradients = True

    def __init__(
        self, tasks: tuple[str, ...], *, name: str, rule: Rule, made: nn.Module, settings: Mapping[str, Any]
    ) -> None:
        from torchjd.aggregation import WeightedAggregator

        super().__init__(tasks, name=name, rule=rule, made=made, settings=settings)
        self.has_weights = isinstance(made, WeightedAggregator)
        self._learning: list[Tensor] = []
        self._rows: list[Row] = []
        self._like: Tensor | None = None

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

    @torch.no_grad()
    def settle(self, total: Total = alone) -> Tensor | None:
        """Write what the rule makes of all that was collected; the ``(n,)`` weights, None without any."""
        rows, learning = self._rows, self._learning
        self._rows, self._learning = [], []
        reach = [sum(row[i] is not None for row in rows) for i in range(len(learning))]
        own, shared = ([i for i, n in enumerate(reach) if (n > 1) == several and n] for several in (False, True))
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

    def memory(self) -> dict[str, Tensor]:
        if self._like is None or not hasattr(self.made, "reset"):
            return {}
        return {"like": self._like, **self._remembered()}

    def load_memory(self, memory: Mapping[str, Tensor], device: torch.device) -> None:
        if not memory:
            return
        held = dict(memory)
        like = held.pop("like").to(device)
        drawn = torch.rand(len(self.tasks), like.shape[1], generator=torch.Generator().manual_seed(0))
        self._aggregate(drawn.to(like))
        self._remember(held, device)

    @torch.no_grad()
    def _aggregate(self, matrix: Tensor) -> tuple[Tensor, Tensor | None]:
        self._like = matrix.new_zeros(0, matrix.shape[1])
        with self._working(matrix) as made:
            if not self.has_weights:
                direction: Tensor = made(matrix)
                return direction, None
            weights: Tensor = made.weighting(matrix)  # type: ignore[operator]
            return weights @ matrix, weights

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
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
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        gradient = part.view(parameter.shape)
        if parameter.grad is None:
            parameter.grad = torch.empty_like(parameter, requires_grad=False).copy_(gradient)
        else:
            parameter.grad.add_(gradient)
