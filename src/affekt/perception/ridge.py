"""Ridge regression in closed form, its penalty chosen by leave-one-out error: a head to start fine-tuning from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PENALTIES = np.logspace(0, 5, 21)
"""Candidates for the penalty, on features of unit variance."""


FEWEST = 3
"""Targets without which there is nothing to fit."""


@dataclass(frozen=True, kw_only=True)
class RidgeFit:
    """``features @ weight + bias``.

    Attributes:
        weight: ``(D,)``.
        bias: one number.
        penalty: the one that was chosen.
        residual: ``(N,)`` leave-one-out residuals with that penalty, NaN where there was no target.
    """

    weight: Floats
    bias: float
    penalty: float
    residual: Floats

    def predict(self, features: ArrayLike) -> Floats:
        """``(M, D)`` -> ``(M,)``."""
        return np.asarray(features, dtype=np.float64) @ self.weight + self.bias


def fit_ridge(features: ArrayLike, target: ArrayLike) -> RidgeFit:
    """Ridge regression on standardised features (Hoerl & Kennard 1970), the intercept not penalised.

    The penalty of :data:`PENALTIES` with the smallest leave-one-out error is taken; that error comes from the hat
    matrix, without refitting (Allen 1974, PRESS).

    Args:
        features: ``(N, D)``.
        target: ``(N,)``, NaN: left out.

    Raises:
        ValueError: fewer than three targets.
    """
    everything, wanted = np.asarray(features, dtype=np.float64), np.asarray(target, dtype=np.float64)
    known = ~np.isnan(wanted)
    if known.sum() < FEWEST:
        raise ValueError(f"ridge: {int(known.sum())} targets; {FEWEST} are needed")
    x, y = everything[known], wanted[known]
    mean, sd = x.mean(axis=0), x.std(axis=0)
    sd = np.where(sd > 1e-8, sd, 1.0)
    u, s, vt = np.linalg.svd((x - mean) / sd, full_matrices=False)
    centred = y - y.mean()
    projected = u.T @ centred
    best: tuple[float, float, Floats] | None = None
    for penalty in PENALTIES:
        shrink = s**2 / (s**2 + penalty)
        leverage = (u**2) @ shrink + 1 / len(y)
        residual = (centred - u @ (shrink * projected)) / np.maximum(1 - leverage, 1e-12)
        error = float(residual @ residual)
        if best is None or error < best[0]:
            best = error, float(penalty), residual
    assert best is not None
    _, penalty, residual = best
    weight = (vt.T @ (s / (s**2 + penalty) * projected)) / sd
    left_out = np.full(len(wanted), np.nan)
    left_out[known] = residual
    return RidgeFit(weight=weight, bias=float(y.mean() - mean @ weight), penalty=penalty, residual=left_out)
