"""Power: what a study with this spread could have found, and how many seeds a smaller difference takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from affekt.errors import UsageError
from affekt.study.statistics.difference import Difference

MOST_SEEDS = 10_000


def smallest_difference(seen: Difference, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest true difference that such a study finds (two-sided p < alpha) with this probability.

    By the usual approximation, (t of alpha + t of the power) times the standard error, for each part of the error.
    """
    return _found(seen.parts, power, alpha)


def seeds_needed(seen: Difference, target: float, *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """The fewest seeds with which a true difference of ``target`` is found; None where no number would do.

    More seeds shrink what differs between seeds; the spread over test items stays, and takes more items.

    Raises:
        UsageError: a target that is not above 0, or a difference of one seed, whose spread between seeds is not known.
    """
    if target <= 0:
        raise UsageError(f"target = {target}: a number above 0")
    if seen.seeds < 2:
        raise UsageError("seeds_needed: one seed says nothing of how seeds differ; run two or more")
    a_seed = seen.from_seeds**2 * seen.seeds
    items = max(seen.from_items**2 - seen.interplay**2, 0.0)

    def enough(seeds: int) -> bool:
        parts = (((a_seed / seeds) ** 0.5, float(seeds - 1)), (items**0.5, float(max(seen.groups - 1, 1))))
        return _found(parts, power, alpha) <= target

    if not enough(MOST_SEEDS):
        return None
    low, high = 1, MOST_SEEDS  # enough(high) holds, enough(low) is not asked
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _found(parts: Sequence[tuple[float, float]], power: float, alpha: float) -> float:
    if not (0 < power < 1 and 0 < alpha < 1):
        raise UsageError(f"power = {power}, alpha = {alpha}: numbers between 0 and 1")
    students = [(error, stats.t(degrees)) for error, degrees in parts]
    return math.hypot(*(error * float(t.ppf(1 - alpha / 2) + t.ppf(power)) for error, t in students))
