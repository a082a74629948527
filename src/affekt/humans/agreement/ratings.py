"""Ratings: a model's numbers held against people's means, by correlation, concordance and distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.humans.agreement import checking, correlating
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RatingAgreement:
    """One model against people's mean ratings of the same stimuli.

    Attributes:
        stimuli: N.
        pearson, spearman: in [-1, 1].
        ccc: concordance correlation in [-1, 1] (Lin 1989, eq. 2.2): 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2) with
            moments that divide by N; never further from 0 than ``pearson``.
        rmse, mae: root mean squared and mean absolute distance, in units of the ratings.
    """

    stimuli: int
    pearson: Estimate
    spearman: Estimate
    ccc: Estimate
    rmse: Estimate
    mae: Estimate


def rating_agreement(
    models: Mapping[str, ArrayLike],
    people: ArrayLike,
    shared: Bootstrap,
    *,
    scale: tuple[float, float] | None = None,
) -> dict[str, RatingAgreement]:
    """Each model's numbers against people's means.

    Args:
        models: name -> ``(N,)``, in units of the ratings. They may lie outside the scale, as a regression's may.
        people: ``(N,)`` mean rating of each stimulus.
        shared: the bootstrap of these N stimuli.
        scale: lowest and highest rating that can be given, by which people's means are checked; None: not checked.

    Returns:
        In the order of ``models``. Correlations are undefined, with the reason, where all numbers of one side are the
        same.

    Raises:
        UsageError: arrays of other shapes, no models, a scale that is upside down.
        DataError: numbers that are missing or not finite, ratings outside the scale: how many, and the first.
    """
    means = checking.within(checking.numbers(people, "people", stimuli=shared.stimuli), scale, "people")
    numbers = checking.table(models, "model", stimuli=shared.stimuli)
    found = shared(lambda weights: _measures(weights, numbers, means))
    agreement = {}
    for m, name in enumerate(models):
        why = same_numbers(numbers[:, m], means, name)
        each = (estimate(found[:, m, k], units=shared.units, reason=why) for k in range(found.shape[2]))
        pearson, spearman, ccc, rmse, mae = each
        agreement[name] = RatingAgreement(
            stimuli=shared.stimuli, pearson=pearson, spearman=spearman, ccc=ccc, rmse=rmse, mae=mae
        )
    return agreement


def same_numbers(model: Floats, people: Floats, name: str) -> str:
    """Why a correlation of these is undefined: which side is constant; empty where neither is."""
    sides = [(name, model), ("people", people)]
    constant = [who for who, x in sides if np.ptp(x) == 0]
    if len(constant) == 2:
        return f"{name} and people each have one number for all {len(model)} stimuli"
    verb = "have" if constant == ["people"] else "has"
    return f"{constant[0]} {verb} the same number for all {len(model)} stimuli" if constant else ""


def _measures(weights: Floats, numbers: Floats, means: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    distance = numbers - means[:, None]
    squared = weights @ distance**2 / total
    absolute = weights @ np.abs(distance) / total
    covariance = _covariance(weights / total, numbers, means)
    # s_x^2 + s_y^2 + (m_x - m_y)^2 is the mean squared distance and twice the covariance.
    spread = squared + 2 * covariance
    # Two constants that agree leave rounding errors of the people's size behind, no spread.
    defined = spread > 1e-24 * max(1.0, float(np.square(means).max()))
    ccc = np.where(defined, 2 * covariance / np.where(defined, spread, 1.0), np.nan)
    pearson = correlating.pearson(weights, numbers, means)
    spearman = correlating.spearman(weights, numbers, means)
    return np.stack([pearson, spearman, ccc, np.sqrt(squared), absolute], axis=2)


def _covariance(shares: Floats, numbers: Floats, means: Floats) -> Floats:
    x, y = numbers - numbers.mean(axis=0), means - means.mean()
    return np.asarray(shares @ (x * y[:, None]) - (shares @ x) * (shares @ y)[:, None])
