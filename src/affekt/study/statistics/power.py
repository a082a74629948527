"""Power: what a study with this spread could have found, and how many seeds a smaller difference takes."""

from __future__ import annotations

from collections.abc import Sequence

from affekt.errors import UsageError
from affekt.study.statistics.difference import Difference, reach

MOST_SEEDS = 10_000


def smallest_difference(seen: Difference, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest true difference that such a study finds (two-sided p < alpha) with this probability.

    That which reaches the power beyond the end of the interval of level ``1 - alpha``.

    Args:
        alpha: what p must fall below; where many comparisons are declared together, their share of it.
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

    def enough(seeds: int) -> bool:
        parts = (((a_seed / seeds) ** 0.5, float(seeds - 1)), seen.parts[-1])
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
    return reach(parts, alpha / 2) + reach(parts, 1 - power)
