"""Declared comparisons: one p each, adjusted for their number, and a verdict by stated rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError
from affekt.multiplicity import holm
from affekt.study.statistics.difference import Difference

Verdict = Literal["better", "worse", "equivalent", "cannot tell"]

RULES = (
    "better / worse: the Holm-adjusted p of no difference is below {alpha:g}; "
    "equivalent: not so, and the Holm-adjusted p of both one-sided tests against the margin of {margin:g} is below "
    "{alpha:g}; "
    "cannot tell: neither."
)
"""What :func:`compare` goes by, to be printed beside its verdicts."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One declared comparison.

    Attributes:
        name: as declared.
        difference: with its interval.
        p: adjusted by Holm over all comparisons that were declared with it.
        p_equivalent: of equivalence within the margin, adjusted likewise.
        low, high: ends of the interval at the level that Bonferroni gives each of these comparisons.
        verdict: by :data:`RULES`.
    """

    name: str
    difference: Difference
    p: float
    p_equivalent: float
    low: float
    high: float
    verdict: Verdict


def compare(
    declared: Mapping[str, Difference], *, margin: float, alpha: float = 0.05, more: int = 0
) -> list[Comparison]:
    """All comparisons that were declared together.

    Args:
        declared: name -> difference.
        margin: largest absolute difference that does not matter, in units of the scores.
        alpha: probability of any false "better" or "worse" among them, at most.
        more: comparisons that were declared with these and cannot be made (yet); they count in every adjustment.

    Raises:
        UsageError: a margin or alpha that cannot be.
    """
    if not 0 < alpha < 1:
        raise UsageError(f"alpha = {alpha}: a number between 0 and 1")
    differences = list(declared.values())
    absent = [1.0] * more
    unequal = holm([*(d.p for d in differences), *absent])[: len(differences)]
    equal = holm([*(d.p_equivalent(margin) for d in differences), *absent])[: len(differences)]
    found = []
    for name, d, p, q in zip(declared, differences, unequal, equal, strict=True):
        low, high = d.interval(1 - alpha / (len(differences) + more))
        found.append(
            Comparison(
                name=name,
                difference=d,
                p=p,
                p_equivalent=q,
                low=low,
                high=high,
                verdict=_verdict(d.estimate, p, q, alpha),
            )
        )
    return found


def _verdict(estimate: float, p: float, q: float, alpha: float) -> Verdict:
    if p < alpha:
        return "better" if estimate > 0 else "worse"
    return "equivalent" if q < alpha else "cannot tell"


def mcnemar(first: ArrayLike, second: ArrayLike) -> float:
    """Exact two-sided p of McNemar's test that two *networks* are right equally often; it says nothing of methods.

    Args:
        first, second: ``(N,)`` whether each item was right.

    Raises:
        UsageError: of different lengths.
    """
    from scipy import stats

    a: NDArray[np.bool_] = np.asarray(first, dtype=bool)
    b: NDArray[np.bool_] = np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise UsageError(f"mcnemar: {a.shape} and {b.shape}; two arrays of the same N items are asked")
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    if not only_first + only_second:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)
