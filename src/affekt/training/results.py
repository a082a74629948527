"""Results: what a training and an evaluation give back; nothing in them depends on the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One split, scored.

    Attributes:
        metrics: of the task, by name; NaN where undefined (a correlation with a constant).
        losses: named losses, mean over the split: that of each batch weighted by its number of items.
        outputs: per-item results, name -> ``(N, ...)``, in the order of the split.
        rows: ``(N,)`` the items of the split that were scored; None: all.
    """

    metrics: dict[str, float]
    losses: dict[str, float]
    outputs: dict[str, NDArray[np.generic]]
    rows: NDArray[np.int64] | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """A finished training.

    Attributes:
        epochs: passes made over the training items.
        steps: optimiser steps made.
        best_epoch: after which epoch (from 1) the validation score was best; None where nothing was validated.
        best_score: the monitored metric there.
        history: one entry a validation: ``epoch``, ``step`` (from 1), ``metrics``, ``losses``, ``selected``.
        stopped_early: whether early stopping ended it.
        halvings: where memory was full: the ``step`` (from 1) from which on batches went through in so many ``parts``.
    """

    epochs: int
    steps: int
    best_epoch: int | None = None
    best_score: float | None = None
    history: list[Mapping[str, Any]] = field(default_factory=list)
    stopped_early: bool = False
    halvings: list[Mapping[str, int]] = field(default_factory=list)
