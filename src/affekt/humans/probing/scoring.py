"""Scoring: held-out predictions against people's means, averaged over repeats, beside people's ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.stimuli import Stimuli
from affekt.humans.agreement import Bootstrap, Ceiling, Estimate, bootstrap, from_spread, rating_agreement
from affekt.humans.agreement.correlating import pearson_pairs
from affekt.humans.probing.keeping import Predictions

Floats = NDArray[np.float64]

MEASURES = ("pearson", "spearman", "ccc", "rmse", "mae")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What people say of one dimension.

    Attributes:
        dimension: its name.
        rows: ``(n,)`` pictures with a rating.
        means: ``(n,)``.
        shared: the bootstrap of these pictures, by whole groups.
        ceiling: None where the set has no standard deviations and numbers of ratings.
    """

    dimension: str
    rows: NDArray[np.int64]
    means: Floats
    shared: Bootstrap
    ceiling: Ceiling | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """One set of predictions of one dimension.

    Attributes:
        measures: of :data:`MEASURES`, each the mean over repeats, in every resample too: the interval is of that mean.
        repeats: r of each repeat.
        within_folds: r within the folds that were held out together, averaged over folds and repeats; None where no
            fold has one. Unlike r over all pictures it does not fall below 0 for a model that says nothing: there, a
            fold of high ratings leaves a low mean to train on.
        penalty: median over folds and repeats.
    """

    measures: Mapping[str, Estimate]
    repeats: tuple[float | None, ...]
    within_folds: float | None
    penalty: float

    @property
    def spread(self) -> float | None:
        """Standard deviation of r over repeats; None with one."""
        held = [r for r in self.repeats if r is not None]
        return float(np.std(held, ddof=1)) if len(held) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {name: _with_interval(e) for name, e in self.measures.items()}
        found["pearson"] |= {"repeats": list(self.repeats), "sd": self.spread, "within_folds": self.within_folds}
        return found | {"penalty": self.penalty}


def truths(people: Stimuli, dimensions: Sequence[str], *, resamples: int, seed: int) -> list[Truth]:
    """People's means of each dimension with their bootstrap and ceiling."""
    return [_truth(people, dimension, resamples, seed) for dimension in dimensions]


def _truth(people: Stimuli, dimension: str, resamples: int, seed: int) -> Truth:
    values = people.labels.ratings[dimension].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(values))
    shared = bootstrap(len(rows), groups=people.groups[rows], resamples=resamples, seed=seed)
    sd, n = people.labels.rating_sd.get(dimension), people.labels.rating_n.get(dimension)
    ceiling = None
    if sd is not None and n is not None and np.isfinite(sd[rows]).all() and (n[rows] >= 2).all():
        ceiling = from_spread(values[rows], sd[rows], n[rows], shared)
    return Truth(dimension=dimension, rows=rows, means=values[rows], shared=shared, ceiling=ceiling)


def score(found: Predictions, column: int, truth: Truth) -> Score:
    """Column ``column`` of the predictions against the truth."""
    predicted = found.predicted[:, truth.rows, column]
    agreement = rating_agreement({str(i): p for i, p in enumerate(predicted)}, truth.means, truth.shared)
    each = list(agreement.values())
    return Score(
        measures={name: average([getattr(a, name) for a in each]) for name in MEASURES},
        repeats=tuple(a.pearson.value for a in each),
        within_folds=_within_folds(predicted, found.outer[:, truth.rows], truth.means),
        penalty=float(np.nanmedian(found.penalty[:, :, column])),
    )


def pearson_of(found: Predictions, column: int, truth: Truth) -> Estimate:
    """r alone, as in :func:`score`."""
    predicted = found.predicted[:, truth.rows, column]
    agreement = rating_agreement({str(i): p for i, p in enumerate(predicted)}, truth.means, truth.shared)
    return average([a.pearson for a in agreement.values()])


def average(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates over the same bootstrap; undefined where one of them is."""
    reason = next((e.reason for e in estimates if e.value is None), "")
    values = [e.value for e in estimates if e.value is not None]
    return Estimate(
        value=None if reason else float(np.mean(values)),
        reason=reason,
        draws=np.mean([e.draws for e in estimates], axis=0),
        units=estimates[0].units,
    )


def _within_folds(predicted: Floats, outer: NDArray[np.int64], means: Floats) -> float | None:
    found = []
    for p, folds in zip(predicted, outer, strict=True):
        each = np.stack([folds == fold for fold in np.unique(folds)]).astype(np.float64)
        found.append(pearson_pairs(each, p[:, None], means[:, None])[:, 0])
    held = np.concatenate(found)
    held = held[~np.isnan(held)]
    return float(held.mean()) if len(held) else None


def _with_interval(estimate: Estimate) -> dict[str, Any]:
    low, high = estimate.interval() or (None, None)
    found: dict[str, Any] = {"value": estimate.value, "low": low, "high": high}
    return found | ({"reason": estimate.reason} if estimate.reason else {})


def ceiling_of(truth: Truth) -> dict[str, Any]:
    """People's ceiling of one dimension, for JSON; without numbers where it cannot be known."""
    ceiling = truth.ceiling
    facts: dict[str, Any] = {"n": len(truth.rows), "groups": truth.shared.units}
    if ceiling is None:
        return facts | {"value": None, "reason": "the set has no standard deviations and numbers of ratings"}
    reliability = {"reliability": ceiling.reliability.value, "raters": ceiling.raters, "method": ceiling.method}
    return facts | _with_interval(ceiling.ceiling) | reliability
