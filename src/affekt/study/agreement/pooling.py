"""Pooling: one measure of every run -> of every condition, and paired differences of conditions.

The draws of stimuli are those of the runs' own estimates; what seeds add to the error, and how both make an interval,
is as in the study's own statistics (:func:`affekt.study.statistics.difference`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from affekt.humans.agreement import Bootstrap, Estimate
from affekt.humans.comparison import Line
from affekt.humans.comparison.measures import Best, Described
from affekt.multiplicity import holm
from affekt.study.agreement.networks import Floats, Run
from affekt.study.statistics import Difference, Resampled, difference

ALPHA = 0.05
"""Of the adjusted p below which two conditions are told apart."""

BySeed = Mapping[int, Estimate]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A condition's number: the mean over its seeds.

    Attributes:
        value, low, high: with its 95 % interval over seeds and stimuli; None where it is undefined.
        each: seed -> its own number.
        sd: over seeds; None with one.
        reason: why it is undefined; empty where it is not.
    """

    value: float | None
    low: float | None
    high: float | None
    each: Mapping[int, float | None]
    sd: float | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PairOfConditions:
    """``first`` minus ``second``, over the seeds that both have.

    Attributes:
        p_holm: p adjusted over all comparisons that were declared.
        reason: why there is no number; empty where there is one.
    """

    first: str
    second: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    seeds: tuple[int, ...] = ()
    reason: str = ""

    @property
    def told(self) -> bool:
        """Whether the two are told apart."""
        return self.p_holm is not None and self.p_holm < ALPHA


@dataclass(frozen=True, kw_only=True)
class Pooled(Described):
    """One measure of a study.

    Attributes:
        conditions: name -> number, in the study's order.
        pairs: the declared comparisons.
    """

    conditions: Mapping[str, Spread]
    pairs: Sequence[PairOfConditions] = ()

    def favours(self, pair: PairOfConditions) -> str:
        """Which condition of a pair that is told apart has the better value; empty where that cannot be said."""
        if not pair.told or pair.value is None or self.best not in ("high", "low"):
            return ""
        return pair.first if (pair.value > 0) == (self.best == "high") else pair.second


def by_condition(estimates: Mapping[Run, Estimate], conditions: Sequence[str]) -> dict[str, dict[int, Estimate]]:
    """Condition -> seed -> estimate, in order."""
    return {name: {run[1]: estimates[run] for run in sorted(estimates) if run[0] == name} for name in conditions}


def shares(right: Mapping[Run, Floats], shared: Bootstrap) -> dict[Run, Estimate]:
    """The mean of each run's ``(N,)`` scores, as estimates over one bootstrap."""
    table = np.stack(list(right.values()), axis=1)
    drawn = shared(lambda weights: weights @ table / weights.sum(axis=1, keepdims=True), table.shape[1])
    return {
        run: Estimate(value=float(drawn[0, k]), reason="", draws=drawn[1:, k], units=shared.units)
        for k, run in enumerate(right)
    }


def pool(
    name: str,
    title: str,
    about: str,
    runs: Mapping[str, BySeed],
    declared: Sequence[tuple[str, str]],
    *,
    best: Best,
    people: Line | None = None,
    missing: int = 0,
) -> Pooled:
    """Pool a measure over seeds.

    Args:
        runs: condition -> seed -> estimate, all from one bootstrap of stimuli.
        declared: ``(first, second)`` of the comparisons.
        missing: comparisons that were declared with these and cannot be made; they count in the adjustment.
    """
    pairs = [_pair(first, second, runs[first], runs[second]) for first, second in declared]
    return Pooled(
        name=name,
        title=title,
        about=about,
        best=best,
        conditions={condition: spread(by_seed) for condition, by_seed in runs.items()},
        pairs=adjusted(pairs, missing=missing),
        people=people,
    )


def adjusted(pairs: Sequence[PairOfConditions], *, missing: int = 0) -> list[PairOfConditions]:
    """The pairs with p adjusted over all of them (Holm 1979), those without a number included."""
    found = holm([*(1.0 if pair.p is None else pair.p for pair in pairs), *[1.0] * missing])
    return [replace(pair, p_holm=None if pair.p is None else float(q)) for pair, q in zip(pairs, found, strict=False)]


def spread(by_seed: BySeed) -> Spread:
    """The mean over seeds; undefined where it is so for one of them: the others alone would say something else."""
    each = {seed: one.value for seed, one in by_seed.items()}
    lacking = next((f"seed {seed}: {one.reason}" for seed, one in by_seed.items() if one.value is None), "")
    made = None if lacking else _difference(by_seed)
    if made is None:
        return Spread(value=None, low=None, high=None, each=each, sd=None, reason=lacking or _FEW)
    low, high = made.interval()
    sd = float(np.std(made.each, ddof=1)) if made.seeds > 1 else None
    return Spread(value=made.estimate, low=low, high=high, each=each, sd=sd)


_FEW = "undefined in more than half of the resamples"


def _pair(first: str, second: str, one: BySeed, other: BySeed) -> PairOfConditions:
    common = tuple(seed for seed in one if seed in other)
    if not common:
        return PairOfConditions(first=first, second=second, reason="no seed of which both are finished")
    a, b = ({seed: runs[seed] for seed in common} for runs in (one, other))
    for name, runs in ((first, a), (second, b)):
        for seed, found in runs.items():
            if found.value is None:
                return PairOfConditions(first=first, second=second, reason=f"{name}, seed {seed}: {found.reason}")
    made = _difference(a, b)
    if made is None:
        return PairOfConditions(first=first, second=second, reason=_FEW)
    low, high = made.interval()
    return PairOfConditions(first=first, second=second, value=made.estimate, low=low, high=high, p=made.p, seeds=common)


def _difference(one: BySeed, other: BySeed | None = None) -> Difference | None:
    """Over the resamples in which all are defined; None where these are not even half."""
    tables = [np.stack([found.draws for found in runs.values()], axis=1) for runs in (one, other) if runs is not None]
    held = np.logical_and.reduce([np.isfinite(table).all(axis=1) for table in tables])
    if held.sum() < max(2, len(held) / 2):
        return None
    made = [_resampled(runs, table[held]) for runs, table in zip((one, other), tables, strict=False) if runs]
    return difference(*made)


def _resampled(runs: BySeed, draws: np.ndarray) -> Resampled:
    units = next(iter(runs.values())).units
    values = [found.value for found in runs.values()]
    return Resampled(
        seeds=tuple(runs),
        mean=np.array(values, dtype=np.float64),
        draws=draws,
        items=units,
        groups=units,
        effective=float(units),
        step=1 / units,
    )
