"""Gradients of single tasks: each loss's own on the parameters, and the cosine between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from affekt.errors import UsageError

Row = tuple[Tensor | None, ...]
"""One loss's gradient, a tensor a parameter; None where the loss does not reach it."""


def task_gradients(losses: Sequence[Tensor], parameters: Sequence[Tensor], *, retain: bool = False) -> list[Row]:
    """The gradient of each loss, a row a loss; nothing is written to ``.grad``.

    Args:
        losses: scalars with a graph; one without reaches nothing.
        parameters: that take a gradient.
        retain: keep the graph for a later ``backward``.
    """
    rows: list[Row] = []
    for number, loss in enumerate(losses):
        if not loss.requires_grad:
            rows.append((None,) * len(parameters))
            continue
        keep = retain or any(other.requires_grad for other in losses[number + 1 :])
        rows.append(torch.autograd.grad(loss, parameters, retain_graph=keep, allow_unused=True))
    return rows


def gradient_cosine(losses: Mapping[str, Tensor], parameters: Iterable[Tensor]) -> dict[tuple[str, str], float]:
    """Cosine between the gradients of each two tasks, on the parameters that both of them reach; in [-1, 1].

    Below 0 the tasks pull the network apart: a step for one undoes some of the other. NaN where two tasks share
    nothing or one of the gradients is 0. The graph of the losses is kept, ``.grad`` is left alone.

    Args:
        losses: task -> scalar of one batch.
        parameters: of the network; those that need no gradient do not count.

    Raises:
        UsageError: no parameter takes a gradient.
    """
    learning = [p for p in parameters if p.requires_grad]
    if not learning:
        raise UsageError("gradient_cosine: none of the parameters takes a gradient; give model.parameters()")
    rows = dict(zip(losses, task_gradients(list(losses.values()), learning, retain=True), strict=True))
    return {(one, other): _cosine(rows[one], rows[other]) for one, other in combinations(rows, 2)}


def _cosine(one: Row, other: Row) -> float:
    both = [(a.double(), b.double()) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    dot, first, second = (sum((float((a * b).sum()) for a, b in pairs), 0.0) for pairs in _squares(both))
    return dot / (first * second) ** 0.5 if first > 0 and second > 0 else float("nan")


def _squares(both: list[tuple[Tensor, Tensor]]) -> tuple[list[tuple[Tensor, Tensor]], ...]:
    return both, [(a, a) for a, _ in both], [(b, b) for _, b in both]
