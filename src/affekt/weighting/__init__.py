"""Weighting: how several named losses become the one that is minimised.

    >>> import torch
    >>> from affekt.weighting import create_weighting
    >>> weighting = create_weighting("softmax", tasks=["emotion", "gender"])
    >>> losses = {"emotion": torch.tensor(1.0), "gender": torch.tensor(0.5)}
    >>> weighting(losses).item()
    0.75
    >>> {name: weight.item() for name, weight in weighting.weights(losses).items()}
    {'emotion': 0.5, 'gender': 0.5}

A weighting is an ``nn.Module``: give its parameters, if it has any, to an optimiser. To add a rule, write it in a file
of its own and name it in ``WEIGHTINGS``.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from affekt.errors import UsageError, unknown
from affekt.weighting._base import Weighting
from affekt.weighting._softmax import Softmax
from affekt.weighting._sum import Sum
from affekt.weighting._uniform import Uniform

WEIGHTINGS: dict[str, type[Weighting]] = {"sum": Sum, "uniform": Uniform, "softmax": Softmax}

__all__ = ["WEIGHTINGS", "Softmax", "Sum", "Uniform", "Weighting", "create_weighting", "list_weightings"]


def create_weighting(name: str, tasks: Sequence[str], **options: Any) -> Weighting:
    """A weighting by name, for losses of the names ``tasks``.

    Raises:
        UsageError: no such weighting (the nearest are named), no such option, or bad ``tasks``.
    """
    if name not in WEIGHTINGS:
        raise UsageError(unknown("weighting", name, WEIGHTINGS))
    kind = WEIGHTINGS[name]
    known = list(inspect.signature(kind).parameters)[1:]
    for option in options:
        if option not in known:
            raise UsageError(f'weighting "{name}" has no option "{option}"; it has {", ".join(known) or "none"}')
    return kind(tasks, **options)


def list_weightings() -> list[str]:
    """The names that :func:`create_weighting` knows."""
    return list(WEIGHTINGS)
