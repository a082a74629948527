"""Correlations under weights: Pearson and Spearman of every resample at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CONSTANT = 1e-12  # variance of standardised numbers below which a resample's numbers are all the same


def standardised(values: Floats) -> Floats:
    """``(N, ...)`` less the mean over the first axis, divided by the standard deviation; all 0 where it is constant.

    Moments of such numbers lose no digits to a large mean.
    """
    varies = np.ptp(values, axis=0) > 0
    spread = np.where(varies, values.std(axis=0), 1.0)
    # A spread below the smallest normal number comes out as 0.
    return np.where(varies & (spread > 0), (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0), 0.0)


def pearson(weights: Floats, first: Floats, second: Floats) -> Floats:
    """``(r, M)`` Pearson correlation of each column of ``first`` with ``second``; NaN where one of them is constant.

    Args:
        weights: ``(r, N)`` how often each stimulus counts.
        first: ``(N, M)``.
        second: ``(N,)``.
    """
    x, y = standardised(first), standardised(second)
    total = weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = weights @ x / total, (weights @ y)[:, None] / total
    var_x = weights @ x**2 / total - mean_x**2
    var_y = (weights @ y**2)[:, None] / total - mean_y**2
    return _ratio(weights @ (x * y[:, None]) / total - mean_x * mean_y, var_x, var_y)


def pearson_pairs(weights: Floats, first: Floats, second: Floats) -> Floats:
    """``(r, P)`` Pearson correlation of each column of ``first`` with the same column of ``second``.

    Over the stimuli that both columns have; NaN where one is constant there, or fewer than two are left.

    Args:
        weights: ``(r, N)`` how often each stimulus counts.
        first, second: ``(N, P)``, NaN where there is no number.
    """
    seen = ~(np.isnan(first) | np.isnan(second))
    x, y = _seen_only(first, seen), _seen_only(second, seen)
    total = np.maximum(weights @ seen.astype(np.float64), 1.0)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    var_x, var_y = weights @ x**2 / total - mean_x**2, weights @ y**2 / total - mean_y**2
    return _ratio(weights @ (x * y) / total - mean_x * mean_y, var_x, var_y)


def spearman(weights: Floats, first: Floats, second: Floats) -> Floats:
    """``(r, M)`` Spearman correlation, with the ranks that the stimuli have *in each resample*; as :func:`pearson`."""
    by_stimulus = np.ascontiguousarray(weights.T)  # (N, r): rows are then gathered whole
    total = by_stimulus.sum(axis=0)
    y = centred_ranks(by_stimulus, second) / total
    weighted = y * by_stimulus
    var_y = np.einsum("nr,nr->r", weighted, y) / total
    found = np.empty((len(weights), first.shape[1]))
    for column in range(first.shape[1]):
        x = centred_ranks(by_stimulus, first[:, column]) / total
        covariance = np.einsum("nr,nr->r", weighted, x) / total
        x *= x
        found[:, column] = _ratio(covariance, np.einsum("nr,nr->r", x, by_stimulus) / total, var_y)
    return found


def centred_ranks(weights: Floats, values: Floats) -> Floats:
    """``(N, r)`` middle rank of each stimulus in each resample, less the mean rank (n + 1) / 2.

    A stimulus that stands w times in a resample takes w ranks, and all that are equal share the middle one.

    Args:
        weights: ``(N, r)``.
        values: ``(N,)``.
    """
    _, tie, sizes = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(tie, kind="stable")
    ends = np.concatenate([[0], np.cumsum(sizes)])
    below = np.zeros((len(values) + 1, weights.shape[1]))
    np.cumsum(weights[order], axis=0, out=below[1:])
    at_ends = below[ends]
    middle = at_ends[:-1] + at_ends[1:]  # twice the middle rank, less 1
    middle -= at_ends[-1]
    middle *= 0.5
    return np.asarray(middle[tie])


def _seen_only(values: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Columns standardised over what is seen of each, 0 elsewhere and where what is seen is constant."""
    n = np.maximum(seen.sum(axis=0), 1)
    low = np.where(seen, values, np.inf).min(axis=0)
    varies = np.where(seen, values, -np.inf).max(axis=0) > low
    centred = np.where(seen, values - np.where(seen, values, 0.0).sum(axis=0) / n, 0.0)
    spread = np.sqrt(np.square(centred).sum(axis=0) / n)
    return np.where(varies & (spread > 0), centred / np.where(spread > 0, spread, 1.0), 0.0)


def _ratio(covariance: Floats, var_x: Floats, var_y: Floats) -> Floats:
    defined = (var_x > _CONSTANT) & (var_y > _CONSTANT)
    scale = np.sqrt(np.where(defined, var_x * var_y, 1.0))
    return np.where(defined, np.clip(covariance / scale, -1.0, 1.0), np.nan)
