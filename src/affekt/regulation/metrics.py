"""Metrics of regulation: how large r is, how much it differs between pictures, and what of the affect it follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

SATURATED = 0.05
"""r below this, or above 1 minus this, trusts one branch alone."""

MANY = 100
"""With more classes than this there is no mean r of each."""


def regulation_metrics(
    regulation: ArrayLike, affect: ArrayLike, state_names: Sequence[str], target: ArrayLike, classes: Sequence[str]
) -> dict[str, float]:
    """``regulation/mean``, ``/sd``, ``/saturated``, ``/of/<class>`` and ``/spearman/<number of the state>``.

    ``saturated`` is the share of weights below 0.05 or above 0.95. Spearman's rho is NaN where r or the state is the
    same for all pictures. With an r for each class, a picture's r is their mean, but for ``saturated``.

    Args:
        regulation: ``(N, 1)`` or ``(N, K)``.
        affect: ``(N, A)``.
        state_names: the A names.
        target: ``(N,)`` int, -1 for unknown.
        classes: the K names.
    """
    weights, state = np.asarray(regulation, dtype=np.float64), np.asarray(affect, dtype=np.float64)
    r, target = weights.mean(axis=1), np.asarray(target)
    found = {
        "regulation/mean": float(r.mean()),
        "regulation/sd": float(r.std()),
        "regulation/saturated": float(((weights < SATURATED) | (weights > 1 - SATURATED)).mean()),
    }
    for column, name in enumerate(state_names):
        found[f"regulation/spearman/{name}"] = _spearman(r, state[:, column])
    for k, name in enumerate(classes if len(classes) <= MANY else ()):
        found[f"regulation/of/{name}"] = float(r[target == k].mean()) if (target == k).any() else float("nan")
    return found


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    from scipy import stats

    if len(x) < 2 or any(np.ptp(v) <= 1e-6 * np.abs(v).max() for v in (x, y)):
        return float("nan")
    return float(stats.spearmanr(x, y)[0])
