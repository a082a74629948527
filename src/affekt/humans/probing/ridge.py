"""Ridge regression whose penalty is chosen by inner folds, and nested cross-validation around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTIES: Floats = np.logspace(0, 6, 25)
"""Candidates for the penalty, on features of unit variance; at the last, most models say little but the mean."""

_VARIES = 1e-6  # spread, relative to a feature's largest number, below which float32 has rounded it to a constant
_RANK = 1e-12  # eigenvalue, relative to the largest, below which a direction holds nothing but rounding


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Predictions of ridge regressions that share their features, one for each of T targets.

    Attributes:
        predicted: ``(M, T)`` for the pictures held out.
        penalty: ``(T,)`` chosen for each target.
        error: ``(T,)`` mean squared error of the inner folds with that penalty.
    """

    predicted: Floats
    penalty: Floats
    error: Floats


@dataclass(frozen=True, kw_only=True)
class Nested:
    """What nested cross-validation with K outer folds gives.

    Attributes:
        predicted: ``(N, T)``, each by the fit that did not see it; NaN where there was no target.
        penalty, error: ``(K, T)``, as of :class:`Fit`, of each outer fold.
    """

    predicted: Floats
    penalty: Floats
    error: Floats


def fit_ridge(features: Floats, targets: Floats, folds: Ints, held_out: Floats, penalties: Floats = PENALTIES) -> Fit:
    """Ridge regression on standardised features (Hoerl & Kennard 1970), the intercept not penalised.

    The penalty of each target is the one with the smallest squared error over the inner folds. What a fit without a
    fold would have said of it follows from the hat matrix H of the fit with all, exactly: with the residuals e of fold
    G, (I - H_GG)^-1 e (the leave-one-out formula of Allen 1974 for more than one). Means and standard deviations of
    the features are those of all training pictures, the intercept is fitted anew.

    Args:
        features: ``(N, D)`` of the training pictures.
        targets: ``(N, T)``.
        folds: ``(N,)`` the inner fold of each training picture.
        held_out: ``(M, D)`` features of the pictures to predict.
        penalties: ``(P,)`` candidates.
    """
    z, mean, sd = _standardised(features)
    vectors, values = _decomposed(z)
    centre = targets.mean(axis=0)
    projected = vectors.T @ (targets - centre)
    errors = np.stack([_left_out(vectors, values, projected, targets - centre, folds, p) for p in penalties])
    best = errors.argmin(axis=0)
    penalty = penalties[best]
    weight = z.T @ (vectors @ (projected / (values[:, None] + penalty)))
    predicted = centre + ((held_out - mean) / sd) @ weight
    return Fit(predicted=predicted, penalty=penalty, error=errors[best, np.arange(len(best))])


def nested_ridge(
    features: Floats,
    targets: Floats,
    outer: Ints,
    inner: Callable[[int, Ints], Ints],
    *,
    penalties: Floats = PENALTIES,
    step: Callable[[], None] = lambda: None,
) -> Nested:
    """Held-out predictions of every picture; neither a weight nor a penalty has seen the picture's own outer fold.

    Args:
        features: ``(N, D)``.
        targets: ``(N, T)``, NaN: not rated, left out of training and prediction of that target.
        outer: ``(N,)`` the outer fold of each picture, from 0 to K - 1.
        inner: (outer fold, rows of its training pictures) -> the inner fold of each of those.
        penalties: ``(P,)`` candidates.
        step: called after each outer fold.

    Raises:
        DataError: an outer fold without which a target has fewer than three ratings.
    """
    k = int(outer.max()) + 1
    predicted = np.full(targets.shape, np.nan)
    penalty, error = np.full((2, k, targets.shape[1]), np.nan)
    for fold in range(k):
        for columns, rated in _alike(targets):
            train, test = np.flatnonzero(rated & (outer != fold)), np.flatnonzero(rated & (outer == fold))
            if len(train) < 3:
                raise DataError(f"ridge: {len(train)} rated pictures outside of fold {fold}; three or more are asked")
            wanted = targets[np.ix_(train, columns)]
            found = fit_ridge(features[train], wanted, inner(fold, train), features[test], penalties)
            predicted[np.ix_(test, columns)] = found.predicted
            penalty[fold, columns], error[fold, columns] = found.penalty, found.error
        step()
    return Nested(predicted=predicted, penalty=penalty, error=error)


def _alike(targets: Floats) -> list[tuple[Ints, NDArray[np.bool_]]]:
    """Columns that are rated for the same pictures, with those pictures: one decomposition serves them all."""
    groups: dict[bytes, list[int]] = {}
    for column, rated in enumerate(~np.isnan(targets.T)):
        groups.setdefault(rated.tobytes(), []).append(column)
    return [(np.array(columns), ~np.isnan(targets[:, columns[0]])) for columns in groups.values()]


def _standardised(features: Floats) -> tuple[Floats, Floats, Floats]:
    """``(N, D)`` of unit variance, 0 where a feature is constant; the means and standard deviations."""
    mean, sd = features.mean(axis=0), features.std(axis=0)
    varies = sd > _VARIES * np.abs(features).max(axis=0, initial=0.0)
    # Divided by infinity, a constant feature says nothing of a held-out picture either.
    sd = np.where(varies, sd, np.inf)
    return (features - mean) / sd, mean, sd


def _decomposed(z: Floats) -> tuple[Floats, Floats]:
    """``(N, R)`` left singular vectors and ``(R,)`` squared singular values, from the smaller of the Gram matrices."""
    wide = z.shape[0] <= z.shape[1]
    values, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
    kept = values > max(float(values[-1]), 0.0) * _RANK
    values, vectors = values[kept], vectors[:, kept]
    return (vectors if wide else z @ vectors / np.sqrt(values)), values


def _left_out(
    vectors: Floats, values: Floats, projected: Floats, centred: Floats, folds: Ints, penalty: float
) -> Floats:
    """``(T,)`` mean squared error of the fold that was left out, over all inner folds."""
    shrink = (values / (values + penalty))[:, None]
    residual = centred - vectors @ (shrink * projected)
    total = np.zeros(centred.shape[1])
    for fold in np.unique(folds):
        rows = folds == fold
        u = vectors[rows]
        # The intercept, which is not penalised, adds 1 / n to each cell of the hat matrix.
        hat = (u * shrink.T) @ u.T + 1 / len(centred)
        total += np.square(np.linalg.solve(np.eye(len(u)) - hat, residual[rows])).sum(axis=0)
    return total / len(centred)
