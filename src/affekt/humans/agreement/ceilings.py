"""Noise ceilings: how well anything can correlate with people's means, given how much people differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import checking
from affekt.humans.agreement.correlating import pearson_pairs
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]

SPLITS = 200


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The highest correlation with people's means that a model of their true means has, on average.

    Attributes:
        method: how the reliability was found.
        reliability: share of the variance of people's means, over stimuli, that other people's means would have in
            common with them; 1 or less, and below 0 by chance alone.
        ceiling: the square root of the reliability, in [0, 1]; undefined where that is below 0 (draws below 0 count
            as 0).
        correlation: what the reliability was found from: of two halves of the raters, or of one rater with all others
            (what a single person attains); None where there are no single ratings.
        raters: mean number of raters of a stimulus.
        stimuli: N that were rated.
    """

    method: Literal["split-half", "leave-one-rater-out", "spread"]
    reliability: Estimate
    ceiling: Estimate
    correlation: Estimate | None
    raters: float
    stimuli: int


def split_half(
    ratings: ArrayLike,
    shared: Bootstrap,
    *,
    splits: int = SPLITS,
    seed: int = 0,
    scale: tuple[float, float] | None = None,
) -> Ceiling:
    """Reliability from random halves of the raters, stepped up to all of them.

    The mean r over the splits gives 2 r / (1 + r) (Spearman 1910; Brown 1910). With an odd number of raters one half
    has one more.

    Args:
        ratings: ``(raters, N)``, NaN where a rater has not seen a stimulus.
        shared: the bootstrap of these N stimuli.
        splits: how many.
        seed: of the splits.
        scale: lowest and highest rating that can be given; None: not checked.

    Raises:
        UsageError: another shape, fewer than two raters, no splits.
        DataError: infinite ratings, ratings outside the scale: how many, and the first.
    """
    if splits < 1:
        raise UsageError(f"split_half: splits = {splits}; 1 or more are asked, such as {SPLITS}")
    table = _table(ratings, shared, scale)
    raters = len(table)
    # A random order of the raters for each split; those in its first half.
    order = np.argsort(np.random.default_rng(seed).random((splits, raters)), axis=1)
    half = (order < raters // 2).astype(np.float64)
    first, second = _means(table, half), _means(table, 1 - half)
    found = _mean_defined(shared(lambda weights: pearson_pairs(weights, first, second), splits))
    reliability = 2 * found / np.where(found > -1, 1 + found, np.nan)
    return _ceiling("split-half", reliability, found, table, shared)


def leave_one_out(ratings: ArrayLike, shared: Bootstrap, *, scale: tuple[float, float] | None = None) -> Ceiling:
    """Reliability from the correlation of each rater with the mean of all others, averaged over raters.

    With n raters of a stimulus and a reliability q of each, that correlation is, by the formulas of classical test
    theory, the square root of q (n - 1) q / (1 + (n - 2) q); it is solved for q, and Spearman-Brown takes q to the mean
    of n. Raters who gave one rating to everything are left out.

    Args:
        ratings: ``(raters, N)``, NaN where a rater has not seen a stimulus.
        shared: the bootstrap of these N stimuli.
        scale: lowest and highest rating that can be given; None: not checked.

    Raises:
        UsageError: another shape, fewer than two raters.
        DataError: infinite ratings, ratings outside the scale: how many, and the first.
    """
    table = _table(ratings, shared, scale)
    seen = ~np.isnan(table)
    others = seen.sum(axis=0) - seen
    total = np.where(seen, table, 0.0)
    rest = (total.sum(axis=0) - total) / np.where(others > 0, others, np.nan)
    found = _mean_defined(shared(lambda weights: pearson_pairs(weights, table.T, rest.T), len(table)))
    n = float(seen.sum(axis=0)[seen.any(axis=0)].mean())
    squared = np.where(found < 0, np.nan, found) ** 2
    single = (squared * (n - 2) + np.sqrt((squared * (n - 2)) ** 2 + 4 * (n - 1) * squared)) / (2 * (n - 1))
    return _ceiling("leave-one-rater-out", n * single / (1 + (n - 1) * single), found, table, shared)


def from_spread(
    means: ArrayLike,
    sds: ArrayLike,
    counts: ArrayLike,
    shared: Bootstrap,
    *,
    scale: tuple[float, float] | None = None,
) -> Ceiling:
    """Reliability where only the mean, the SD and the number of ratings of each stimulus are known.

    1 - mean(sd^2 / n) / var(means): the sampling variance of a mean against the variance of the means. Each stimulus
    rated by people of its own is assumed; where the same people rated all, their common leniency counts as noise.

    Args:
        means: ``(N,)`` mean rating.
        sds: ``(N,)`` standard deviation over raters, with n - 1 in its denominator.
        counts: ``(N,)`` number of raters, 2 or more.
        shared: the bootstrap of these N stimuli.
        scale: lowest and highest rating that can be given, by which the means are checked; None: not checked.

    Raises:
        UsageError: other shapes.
        DataError: missing numbers, an SD below 0, fewer than 2 raters, means outside the scale: how many, the first.
    """
    n_stimuli = shared.stimuli
    m = checking.within(checking.numbers(means, "means", stimuli=n_stimuli), scale, "means")
    sd = checking.at_least(0, checking.numbers(sds, "sds", stimuli=n_stimuli), "sds")
    n = checking.at_least(2, checking.numbers(counts, "counts", stimuli=n_stimuli), "counts")
    noise, centred = sd**2 / n, m - m.mean()
    constant = np.ptp(m) == 0

    def reliability(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        variance = (weights @ centred**2 - (weights @ centred) ** 2 / total) / np.maximum(total - 1, 1)
        varies = (variance > 1e-12 * centred.var()) & (not constant)
        return np.where(varies, 1 - (weights @ noise / total) / np.where(varies, variance, 1.0), np.nan)

    found = shared(reliability)
    why = "people's means are the same for all stimuli"
    return Ceiling(
        method="spread",
        reliability=estimate(found, units=shared.units, reason=why),
        ceiling=_root(found, shared, why),
        correlation=None,
        raters=float(n.mean()),
        stimuli=n_stimuli,
    )


def _table(ratings: ArrayLike, shared: Bootstrap, scale: tuple[float, float] | None) -> Floats:
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != shared.stimuli:
        raise UsageError(f"ratings: shape {table.shape}; (raters, {shared.stimuli} stimuli) is asked, NaN for none")
    if len(table) < 2:
        raise UsageError(f"ratings: {len(table)} raters; two or more are asked to know how much people differ")
    if np.isinf(table).any() or np.isnan(table).all():
        infinite, missing = int(np.isinf(table).sum()), int(np.isnan(table).sum())
        raise DataError(f"ratings: {infinite} infinite, {missing} of {table.size} missing; finite ratings are asked")
    return checking.within(table, scale, "ratings")


def _means(table: Floats, chosen: Floats) -> Floats:
    """``(N, S)`` mean of the raters that each row of ``(S, raters)`` has chosen; NaN without one."""
    count = chosen @ ~np.isnan(table)
    return np.asarray((chosen @ np.where(np.isnan(table), 0.0, table) / np.where(count > 0, count, np.nan)).T)


def _mean_defined(correlations: Floats) -> Floats:
    """``(1 + R,)`` mean over columns, of those that are defined for the stimuli as they are; NaN without one."""
    kept = correlations[:, ~np.isnan(correlations[0])]
    count = (~np.isnan(kept)).sum(axis=1)
    return np.where(count > 0, np.nansum(kept, axis=1) / np.maximum(count, 1), np.nan)


def _ceiling(
    method: Literal["split-half", "leave-one-rater-out"],
    reliability: Floats,
    correlation: Floats,
    table: Floats,
    shared: Bootstrap,
) -> Ceiling:
    number = (~np.isnan(table)).sum(axis=0)
    if np.isnan(correlation[0]):
        why = "no two sets of raters with differing ratings of the same stimuli"
    else:
        why = f"raters do not agree: their mean {method} correlation is {correlation[0]:.3f}"
    return Ceiling(
        method=method,
        reliability=estimate(reliability, units=shared.units, reason=why),
        ceiling=_root(reliability, shared, why),
        correlation=estimate(correlation, units=shared.units, reason=why),
        raters=float(number[number > 0].mean()),
        stimuli=int((number > 0).sum()),
    )


def _root(reliability: Floats, shared: Bootstrap, why: str) -> Estimate:
    root = np.sqrt(np.maximum(reliability, 0.0))
    if reliability[0] < 0:
        root[0] = np.nan
        why = f"the reliability is {reliability[0]:.3f}: raters differ more than the stimuli do"
    return estimate(root, units=shared.units, reason=why)
