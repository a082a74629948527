"""Difference of two conditions: an interval that holds for other seeds *and* other test items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from affekt.errors import UsageError
from affekt.study.statistics.resampling import Resampled

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean of a condition minus that of another (or a mean alone), with what is uncertain about it.

    Attributes:
        estimate: in units of the scores.
        standard_error: over draws of seeds and items.
        degrees: of freedom of Student's t: one less than the seeds; with one seed, than the groups.
        from_seeds, from_items: standard errors of seeds alone (NaN with one seed) and of items alone; each holds
            ``interplay``.
        interplay: standard error that the interplay of seed and item brings (0 with one seed, where it cannot be seen).
        seeds, items, groups: n of each.
        each: the difference of every seed.
    """

    estimate: float
    standard_error: float
    degrees: float
    from_seeds: float
    from_items: float
    interplay: float
    seeds: int
    items: int
    groups: int
    each: tuple[float, ...]

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Both ends of the interval of this level, Student's t."""
        if not 0 < level < 1:
            raise UsageError(f"level = {level}: a number between 0 and 1")
        reach = float(stats.t.ppf(0.5 + level / 2, self.degrees)) * self.standard_error
        return self.estimate - reach, self.estimate + reach

    @property
    def p(self) -> float:
        """Two-sided p of no difference."""
        if self.standard_error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.estimate) / self.standard_error, self.degrees))

    def p_equivalent(self, margin: float) -> float:
        """The larger p of the two one-sided tests of ``|difference| >= margin`` (TOST, Schuirmann 1987)."""
        if margin <= 0:
            raise UsageError(f"margin = {margin}: a number above 0")
        if self.standard_error == 0:
            # Nothing differed in G units, which a share of the margin leaves with a probability of (1 - margin)^G.
            return float(1 - min(margin, 1.0)) ** self.groups if abs(self.estimate) < margin else 1.0
        return float(stats.t.sf((margin - abs(self.estimate)) / self.standard_error, self.degrees))


def difference(first: Resampled, second: Resampled | None = None, *, seed: int = 0) -> Difference:
    """``first`` minus ``second``, paired by seed; ``first`` alone without a second.

    The crossed bootstrap: B times, seeds are drawn, and one draw of items (or groups) holds for all of them. What each
    seed has of its own is widened by sqrt(S / (S - 1)), as a variance from S values needs. That bootstrap counts the
    interplay of seed and item three times (Owen 2007, Ann. Appl. Stat. 1, 386-411); it stands once in the variance of a
    mean and is known from the draws, so twice its share is taken off, but never below what seeds, items or the
    interplay alone give. Student's t with S - 1 degrees of freedom makes up for few seeds; where the items bring most
    of the variance that is too wide, but every rule that reads the share of the seeds off three of them claims too
    much. With one seed the items alone are drawn: the answer is about these two networks, not about the two methods.

    Raises:
        UsageError: other seeds or items than the first's.
    """
    mean, draws = first.mean, first.draws
    if second is not None:
        if second.seeds != first.seeds or draws.shape != second.draws.shape or first.items != second.items:
            raise UsageError("difference: not the same seeds, items or draws; compare those that both have")
        mean, draws = mean - second.mean, draws - second.draws
    # G units drawn from G have a variance smaller by (G - 1) / G than what they stand for.
    draws = mean + (draws - mean) * (first.groups / (first.groups - 1)) ** 0.5
    count = len(first.seeds)
    centre = draws.mean(axis=1)
    of_items = float(centre.var(ddof=1))
    of_seeds, interplay, total = float("nan"), 0.0, of_items
    if count > 1:
        own = draws - centre[:, None]
        interplay = float(own.var(axis=0, ddof=1).mean()) / (count - 1)
        of_seeds = float(mean.var(ddof=1)) / count
        chosen = np.random.default_rng(seed).integers(count, size=draws.shape)
        widened = np.sqrt(count / (count - 1)) * np.take_along_axis(own, chosen, axis=1).mean(axis=1)
        total = max(float((centre + widened).var(ddof=1)) - 2 * interplay, of_seeds, of_items, interplay)
    return Difference(
        estimate=float(mean.mean()),
        standard_error=total**0.5,
        degrees=float(count - 1 if count > 1 else max(first.groups - 1, 1)),
        from_seeds=of_seeds**0.5,
        from_items=of_items**0.5,
        interplay=interplay**0.5,
        seeds=count,
        items=first.items,
        groups=first.groups,
        each=tuple(mean.tolist()),
    )
