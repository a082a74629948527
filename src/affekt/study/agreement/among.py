"""Among: whether networks of a study err on the same pictures, within a condition and between two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from affekt.humans.agreement import Bootstrap, ErrorConsistency, consistency_among, consistency_with
from affekt.humans.comparison.measures import LEVEL, mean_of
from affekt.study.agreement.networks import Floats, Run


@dataclass(frozen=True, kw_only=True)
class Kappa:
    """Error consistency of two conditions, the mean over all pairs of a run of one and a run of the other.

    Attributes:
        value, low, high: with its 95 % interval over stimuli; None where it is undefined.
        each: the pairs of networks in the mean.
        reason: why it is undefined.
    """

    first: str
    second: str
    value: float | None
    low: float | None
    high: float | None
    each: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Among:
    """Of every two conditions, and of each with itself: of its seeds among each other."""

    conditions: tuple[str, ...]
    pairs: Sequence[Kappa]

    def of(self, one: str, other: str) -> Kappa | None:
        """The entry of two conditions, in any order; None of a condition with one seed and itself."""
        return next((k for k in self.pairs if {k.first, k.second} == {one, other}), None)


def among(
    conditions: Sequence[str], right: Mapping[Run, Floats], shared: Bootstrap, *, constant: Collection[Run] = ()
) -> Among:
    """
    Args:
        right: (condition, seed) -> ``(N,)`` 1.0 where it was right, 0.0 where not.
        shared: the bootstrap of these N stimuli.
        constant: networks with one answer to everything, whose errors follow from what is right alone: left out.
    """
    varying = {run: scores for run, scores in right.items() if run not in constant}
    runs = {name: {str(run[1]): scores for run, scores in varying.items() if run[0] == name} for name in conditions}
    found: list[Kappa] = []
    for place, one in enumerate(conditions):
        if len(runs[one]) > 1:
            found.append(_kappa(one, one, [consistency_among(runs[one], shared)]))
        for other in conditions[place + 1 :]:
            if not (runs[one] and runs[other]):
                found.append(_undefined(one, other, one if not runs[one] else other))
                continue
            found.append(_kappa(one, other, list(consistency_with(runs[one], runs[other], shared).values())))
    return Among(conditions=tuple(conditions), pairs=found)


def _undefined(first: str, second: str, which: str) -> Kappa:
    reason = f"every network of {which} gives one answer to everything"
    return Kappa(first=first, second=second, value=None, low=None, high=None, each=0, reason=reason)


def _kappa(first: str, second: str, found: Sequence[ErrorConsistency]) -> Kappa:
    mean = mean_of(one.kappa for one in found)
    low, high = mean.interval(LEVEL) or (None, None)
    return Kappa(
        first=first,
        second=second,
        value=mean.value,
        low=low,
        high=high,
        each=sum(one.pairs for one in found),
        reason=mean.reason,
    )
