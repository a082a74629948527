"""Multiplicity: p values adjusted for how many tests were declared together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> list[float]:
    """p adjusted so that the chance of any false rejection stays below alpha (Holm 1979), in the order given."""
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1)), 1.0)
    out = np.empty(len(p))
    out[order] = adjusted
    return [float(value) for value in out]
