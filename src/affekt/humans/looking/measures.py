"""Measures: how well maps say where people looked, one number a picture; each row on its own.

After Z. Bylinskii, T. Judd, A. Oliva, A. Torralba, F. Durand: What do different evaluation metrics tell us about
saliency models? TPAMI 41(3), 2019. Maps are ``(N, H, W)``; people's side is either *points*, ``(N, H, W)`` numbers of
fixations (or True where there is one), or a *density*, ``(N, H, W)``, as a blurred map of fixations is. Every function
returns ``(N,)`` float64, NaN where it is not defined: NSS and CC of a map that is the same everywhere, KL and SIM of
one that is all zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from affekt.errors import DataError, UsageError, first

Floats = NDArray[np.float64]

FLOOR = 1e-3
"""Share of a map that is spread evenly before it is compared by :func:`kl`, which a single zero would make infinite."""

SHARE = 0.05
"""Of the points of a continuous map of fixations, those that count as fixated, from the densest on."""


def nss(maps: ArrayLike, points: ArrayLike) -> Floats:
    """Normalised scanpath saliency (Peters et al. 2005): the mean at fixations of the map in standard deviations.

    0 is chance; of n fixations at different ones of P points, at most sqrt((P - n) / n).
    """
    table, where = _pair(maps, points, "points")
    return mean_at(standardised(table), where)


def auc_judd(maps: ArrayLike, points: ArrayLike) -> Floats:
    """Area under the ROC curve: fixated points against all others of the same picture (Judd et al. 2009).

    0.5 is chance. Every value of the map is a threshold and ties count half, so that this is the chance that a fixated
    point has the higher value. The published code takes the values at the n fixations alone, joins them by straight
    lines, which adds up to 1 / (2 n), and breaks ties by noise.
    """
    table, where = _pair(maps, points, "points")
    return area(ranks(table), (where > 0).astype(np.float64))


def shuffled_auc(maps: ArrayLike, points: ArrayLike) -> Floats:
    """Area under the ROC curve against the fixations on *other* pictures (Zhang et al. 2008), 0.5 is chance.

    A map that knows nothing but where people look on any picture, the centre, has 0.5 here. Points count as often as
    they were fixated on the N - 1 other pictures; so do the picture's own.

    Raises:
        UsageError: fewer than two pictures.
    """
    table, where = _pair(maps, points, "points")
    if len(table) < 2:
        raise UsageError("shuffled_auc: one picture; it needs the fixations on others")
    total = where.sum(axis=0)
    return np.array([_weighted_area(row, own, total - own) for row, own in zip(table, where, strict=True)])


def cc(maps: ArrayLike, density: ArrayLike) -> Floats:
    """Pearson's correlation of the map with the density over points, in [-1, 1]; 0 is chance."""
    table, people = _pair(maps, density, "density")
    return np.asarray(np.clip((standardised(table) * standardised(people)).mean(axis=1), -1, 1))


def kl(maps: ArrayLike, density: ArrayLike, *, floor: float = FLOOR) -> Floats:
    """Kullback-Leibler divergence of the map, as a density, from people's, in nats: 0 or more, *less is better*.

    ``sum p log(p / q)`` with ``q = (1 - floor) map + floor / P``, at most ``log(P / floor)``. The number depends on the
    floor wherever maps have zeros, so only numbers with the same one can be compared.

    Raises:
        UsageError: a floor that is not in (0, 1].
        DataError: as :func:`as_density`.
    """
    table, people = _pair(maps, density, "density")
    return divergence(logarithm(table, floor), people)


def sim(maps: ArrayLike, density: ArrayLike) -> Floats:
    """Similarity: what the map, as a density, and people's have in common, ``sum min(p, q)``, in [0, 1].

    Raises:
        DataError: as :func:`as_density`.
    """
    table, people = _pair(maps, density, "density")
    return np.asarray(np.minimum(as_density(table), as_density(people)).sum(axis=1))


def fixated(density: ArrayLike, share: float = SHARE) -> NDArray[np.bool_]:
    """``(N, H, W)``: points of a continuous map of fixations that count as fixated, for NSS and the two AUCs.

    The densest ``share`` of a picture's points; points as dense as the last of them count too, empty ones never.

    Raises:
        UsageError: a share that is not in (0, 1).
        DataError: as of the measures.
    """
    if not 0 < share < 1:
        raise UsageError(f"share = {share}: a share of the points in (0, 1) is asked, such as {SHARE}")
    array = stack(density, "density")
    table = people_of(array, "density")
    least = np.sort(table, axis=1)[:, -max(1, round(share * table.shape[1]))]
    return ((table >= least[:, None]) & (table > 0)).reshape(array.shape)


def standardised(table: Floats) -> Floats:
    """``(N, P)`` rows with mean 0 and mean square 1; NaN where a row is constant."""
    spread = np.ptp(table, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = (table - table.min(axis=1, keepdims=True)) / np.where(spread > 0, spread, np.nan)
        centred = scaled - scaled.mean(axis=1, keepdims=True)
        return np.asarray(centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True)))


def mean_at(table: Floats, weights: Floats) -> Floats:
    """``(N,)`` mean of each row under weights of 0 or more."""
    return np.asarray(np.einsum("np,np->n", table, weights) / weights.sum(axis=1))


def ranks(table: Floats) -> Floats:
    """``(N, P)`` the middle rank of each value in its row, 1 to P."""
    return np.asarray(rankdata(table, axis=1), dtype=np.float64)


def area(ranked: Floats, chosen: Floats) -> Floats:
    """``(N,)`` area under the ROC curve of chosen points (1) against the others (0), from ranks (Mann & Whitney 1947).

    NaN where all points are chosen.
    """
    n = chosen.sum(axis=1)
    others = chosen.shape[1] - n
    above = np.einsum("np,np->n", ranked, chosen) - n * (n + 1) / 2
    return np.where(others > 0, above / np.where(others > 0, n * others, 1), np.nan)


def as_density(table: Floats) -> Floats:
    """``(N, P)`` rows that sum to 1; NaN where a row is all zero.

    Raises:
        DataError: values below zero.
    """
    if (table < 0).any():
        rows = np.flatnonzero((table < 0).any(axis=1))
        raise DataError(
            f"maps: values below zero in {len(rows)} of {len(table)}: {first(rows.tolist(), n=3)}; a share of a signed "
            "map is not defined: give maps.clip(0), what speaks for the answer, or abs(maps)"
        )
    total = table.sum(axis=1, keepdims=True)
    return np.asarray(table / np.where(total > 0, total, np.nan))


def logarithm(table: Floats, floor: float) -> Floats:
    """``(N, P)`` log of each row as a density of which ``floor`` is spread evenly."""
    if not 0 < floor <= 1:
        raise UsageError(f"floor = {floor}: a share in (0, 1] is asked, such as {FLOOR}")
    return np.asarray(np.log((1 - floor) * as_density(table) + floor / table.shape[1]))


def divergence(log_q: Floats, density: Floats) -> Floats:
    """``(N,)`` sum of p (log p - log q), with 0 log 0 = 0."""
    p = as_density(density)
    of_p = (p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)
    return np.asarray(np.maximum(0.0, of_p - np.einsum("np,np->n", p, log_q)))


def stack(values: ArrayLike, what: str) -> Floats:
    """``(N, H, W)`` finite float64.

    Raises:
        UsageError: another shape.
        DataError: numbers that are not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 3 or 0 in array.shape:
        raise UsageError(f"{what}: shape {array.shape}; (pictures, H, W) is asked, one picture as array[None]")
    if not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))
        raise DataError(f"{what}: NaN or Inf in {len(rows)} of {len(array)}: {first(rows.tolist())}")
    return array


def people_of(values: ArrayLike, what: str) -> Floats:
    """``(N, P)`` people's points or density: numbers of 0 or more, some above in every picture.

    Raises:
        UsageError: another shape.
        DataError: numbers below zero or not finite, a picture without any.
    """
    array = stack(values, what)
    table = array.reshape(len(array), -1)
    wrong = np.flatnonzero((table < 0).any(axis=1) | ~(table > 0).any(axis=1))
    if len(wrong):
        raise DataError(
            f"{what}: below zero, or zero everywhere, in {len(wrong)} of {len(table)} pictures: "
            f"{first(wrong.tolist())}; leave out those without a fixation"
        )
    return table


def _pair(maps: ArrayLike, people: ArrayLike, what: str) -> tuple[Floats, Floats]:
    table, other = stack(maps, "maps"), np.asarray(people)
    if table.shape != other.shape:
        raise UsageError(f"{what}: shape {other.shape} for maps of {table.shape}; both at one size are asked")
    return table.reshape(len(table), -1), people_of(people, what)


def _weighted_area(values: Floats, positive: Floats, negative: Floats) -> float:
    """Chance that a positive's value is above a negative's, ties half, each counted so often; NaN without one."""
    there = positive + negative > 0
    levels, at = np.unique(values[there], return_inverse=True)
    of_positive = np.bincount(at, positive[there], len(levels))
    of_negative = np.bincount(at, negative[there], len(levels))
    pairs = of_positive.sum() * of_negative.sum()
    below = np.cumsum(of_negative) - of_negative / 2
    return float(of_positive @ below / pairs) if pairs > 0 else float("nan")
