"""Counts at the levels of a manipulation: from single trials, or as a table that is checked and pooled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError

Floats = NDArray[np.float64]


def count_levels(levels: ArrayLike, responses: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Single trials as a table: the different levels, the positive (or correct) responses at each, the trials at each.

    Args:
        levels: ``(T,)`` level of each trial.
        responses: ``(T,)`` 1 or True for a positive or correct response, 0 or False for another.

    Raises:
        DataError: no trials, other lengths, levels that are not finite, responses other than 0 and 1.
    """
    x, k = np.asarray(levels, dtype=np.float64), np.asarray(responses, dtype=np.float64)
    if x.ndim != 1 or x.shape != k.shape or not len(x):
        raise DataError(f"trials: levels {x.shape} and responses {k.shape}; one of each for every trial is asked")
    if not np.isfinite(x).all() or not np.isin(k, (0, 1)).all():
        raise DataError("trials: levels have to be finite and responses 0 or 1")
    found, index = np.unique(x, return_inverse=True)
    return found, _sums(index, k), _sums(index, np.ones(len(x)))


def pooled(levels: ArrayLike, positive: ArrayLike, total: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The same of counts: each level once, sorted, those without trials left out.

    Raises:
        DataError: columns of different lengths, numbers that are not finite, counts that are negative, not whole, or
            more than the trials.
    """
    x, k, n = (np.asarray(column, dtype=np.float64) for column in (levels, positive, total))
    if x.ndim != 1 or not x.shape == k.shape == n.shape:
        raise DataError(f"levels {x.shape}, positive {k.shape}, total {n.shape}: columns of one length are asked")
    if not all(np.isfinite(column).all() for column in (x, k, n)):
        raise DataError("psychometric table: numbers that are not finite")
    if ((k % 1 != 0) | (n % 1 != 0)).any():
        raise DataError("psychometric table: counts that are not whole; give counts, not shares")
    wrong = np.flatnonzero((k < 0) | (k > n))
    if len(wrong):
        raise DataError(
            f"psychometric table: {k[wrong[0]]:.0f} positive of {n[wrong[0]]:.0f} at level {x[wrong[0]]:g}; 0 to "
            "the number of trials is possible"
        )
    used = n > 0
    found, index = np.unique(x[used], return_inverse=True)
    return found, _sums(index, k[used]), _sums(index, n[used])


def _sums(index: NDArray[np.intp], counts: Floats) -> Floats:
    return np.bincount(index, counts).astype(np.float64)
