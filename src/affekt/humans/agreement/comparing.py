"""Comparing models: paired differences of one measure, each with an interval and a p, adjusted for their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from affekt.errors import UsageError, unknown
from affekt.humans.agreement.estimate import Estimate
from affekt.multiplicity import holm

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PairDifference:
    """One model's measure less another's, on the same stimuli.

    Attributes:
        first, second: names; the difference is ``first`` minus ``second``.
        value: None where one of them is undefined; so are then the following.
        reason: why it is undefined; empty where it is not.
        low, high: ends of the interval of the level that was asked.
        p: two-sided, of no difference over other stimuli; one less the level of the interval that just holds 0.
        p_holm: p adjusted over all pairs that were asked (Holm 1979), those that are undefined included.
        undefined: resamples in which one of them is undefined, left out.
    """

    first: str
    second: str
    value: float | None
    reason: str
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    undefined: int


def compare_models(
    estimates: Mapping[str, Estimate], pairs: Sequence[tuple[str, str]] | None = None, *, level: float = 0.95
) -> list[PairDifference]:
    """Paired differences of one measure.

    The standard error is that of the paired draws; with G units (stimuli or groups) the interval takes Student's t with
    G - 1 degrees of freedom, and p is its counterpart. Counting draws beyond 0 instead could give no p below
    2 / (R + 1), which Holm's adjustment over the 45 pairs of ten models takes above .05 with 1,000 resamples. p is
    never below 2^(1 - G), the least that a test of G exchangeable signs can give.

    Args:
        estimates: name -> the same measure of each model, all from one bootstrap.
        pairs: the pairs that were to be compared; None: every pair, in the order of ``estimates``.
        level: of the intervals, which are not adjusted.

    Raises:
        UsageError: an unknown name, a pair of one model with itself, estimates from different bootstraps, a level that
            is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level = {level}: a number between 0 and 1, such as 0.95")
    wanted = list(combinations(estimates, 2)) if pairs is None else list(pairs)
    found = [_difference(estimates, first, second, level) for first, second in wanted]
    adjusted = holm([1.0 if d.p is None else d.p for d in found])
    return [
        PairDifference(**{**vars(d), "p_holm": None if d.p is None else q})
        for d, q in zip(found, adjusted, strict=True)
    ]


def _difference(estimates: Mapping[str, Estimate], first: str, second: str, level: float) -> PairDifference:
    for name in (first, second):
        if name not in estimates:
            raise UsageError(unknown("model", name, estimates))
    if first == second:
        raise UsageError(f"{first} against itself: two different models are asked")
    a, b = estimates[first], estimates[second]
    if a.draws.shape != b.draws.shape or a.units != b.units:
        raise UsageError(f"{first} and {second}: estimates from different bootstraps; make both with the same one")
    draws = a.draws - b.draws
    held = draws[~np.isnan(draws)]
    value = low = high = p = None
    reason = "; ".join(f"{name}: {e.reason}" for name, e in ((first, a), (second, b)) if e.value is None)
    if not reason and (len(held) < 2 or len(held) < len(draws) / 2):
        reason = f"undefined in {len(draws) - len(held)} of {len(draws)} resamples"
    if a.value is not None and b.value is not None and not reason:
        value = a.value - b.value
        # G units drawn from G have a variance smaller by (G - 1) / G than what they stand for.
        error = float(held.std(ddof=1)) * (a.units / (a.units - 1)) ** 0.5
        far = -float(special.stdtrit(a.units - 1, (1 - level) / 2)) * error
        low, high, p = value - far, value + far, _p(value, error, a.units)
    return PairDifference(
        first=first, second=second, value=value, reason=reason, low=low, high=high, p=p, p_holm=p,
        undefined=len(draws) - len(held),
    )  # fmt: skip


def _p(value: float, error: float, units: int) -> float:
    if value == 0:
        return 1.0
    # Rounding leaves a spread of 1e-17 or so behind where every draw is the same.
    far = np.inf if error <= 1e-12 * abs(value) else abs(value) / error
    return max(2 * float(special.stdtr(units - 1, -far)), 2.0 ** (1 - min(units, 1000)))
