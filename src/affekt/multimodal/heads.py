"""Heads: one linear map for each task, on the same features; and what tasks may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import torch
from torch import Tensor, nn

from affekt.errors import UsageError, unknown

Tasks = Mapping[str, int] | Iterable[tuple[str, int]]
Classes = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]


class Heads(nn.Module):
    """``(B, D)`` -> task -> ``(B, K)`` logits, float32 or better whatever autocast says.

    Args:
        num_features: D.
        tasks: name -> K, the number of classes.
        dropout: share of the features dropped in training, the same for each head.
    """

    def __init__(self, num_features: int, tasks: Mapping[str, int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.tasks = dict(tasks)
        self.dropout = nn.Dropout(dropout)
        for name, classes in tasks.items():
            # "_head", since a task may be called what a module has already ("type").
            self.add_module(f"{name}_head", nn.Linear(num_features, classes))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        with torch.autocast(features.device.type, enabled=False):
            x = self.dropout(features)
            return {name: self._logits(name, x) for name in self.tasks}

    def _logits(self, name: str, x: Tensor) -> Tensor:
        head = self.get_submodule(f"{name}_head")
        logits: Tensor = head(x.to(next(head.parameters()).dtype))
        return logits.to(torch.promote_types(logits.dtype, torch.float32))


def read_tasks(tasks: Tasks) -> dict[str, int]:
    """Name -> number of classes, in the order given.

    Raises:
        UsageError: no task, a name that cannot be one, fewer than two classes.
    """
    try:
        found = dict(tasks)
    except (TypeError, ValueError):
        found = {}
    if not found:
        raise UsageError(f'tasks = {tasks!r}: write names and numbers of classes, e.g. {{"emotion": 4, "gender": 2}}')
    for name, classes in found.items():
        if not isinstance(name, str) or not name or "." in name:
            raise UsageError(f"tasks: {name!r} cannot be a name; write a word without dots")
        if isinstance(classes, bool) or not isinstance(classes, Integral) or classes < 2:
            raise UsageError(f'tasks: "{name}" has {classes!r} classes; write a whole number, 2 or more')
    return {name: int(classes) for name, classes in found.items()}


def read_classes(classes: Classes | None, tasks: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Task -> names of its classes, for the tasks that have some.

    Raises:
        UsageError: names of another task, or another number of them than classes.
    """
    found = {name: tuple(names) for name, names in dict(classes or {}).items()}
    for name, names in found.items():
        if name not in tasks:
            raise UsageError(unknown("classes: task", name, tasks))
        if len(names) != tasks[name] or len(set(names)) != len(names):
            raise UsageError(f'classes of "{name}": {len(names)} names for {tasks[name]} classes, each a different one')
    return found
