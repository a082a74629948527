"""Difference of two conditions: an interval that holds for other seeds *and* other test items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from affekt.errors import UsageError
from affekt.study.statistics.resampling import Resampled

Floats = NDArray[np.float64]


SMALLEST_TAIL = 1e-200


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean of a condition minus that of another (or a mean alone), with what is uncertain about it.

    Attributes:
        estimate: in units of the scores.
        parts: standard error and degrees of freedom of each part: the seeds, with one degree less than there are
            seeds, and what the test items add, with one less than there are (effective) groups. One seed has the
            second alone.
        from_seeds, from_items: standard errors of seeds alone (NaN with one seed) and of items alone; each holds
            ``interplay``.
        interplay: standard error that the interplay of seed and item brings (0 with one seed, where it cannot be seen).
        seeds, items, groups: n of each.
        each: the difference of every seed.
    """

    estimate: float
    parts: tuple[tuple[float, float], ...]
    from_seeds: float
    from_items: float
    interplay: float
    seeds: int
    items: int
    groups: int
    each: tuple[float, ...]

    @property
    def standard_error(self) -> float:
        """Over draws of seeds and items."""
        return math.hypot(*(error for error, _ in self.parts))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Both ends of the interval of this level; each part of the error is widened by a Student's t of its own."""
        if not 0 < level < 1:
            raise UsageError(f"level = {level}: a number between 0 and 1")
        far = reach(self.parts, (1 - level) / 2)
        return self.estimate - far, self.estimate + far

    @property
    def p(self) -> float:
        """Two-sided p of no difference: one less the level of the interval that just holds 0."""
        return min(1.0, 2 * tail(self.parts, abs(self.estimate)))

    def p_equivalent(self, margin: float) -> float:
        """The larger p of the two one-sided tests of ``|difference| >= margin`` (TOST, Schuirmann 1987).

        Never below what chance leaves to few items: were the true difference the margin, and all of it in one
        direction, the number of groups that differ would be binomial.
        """
        if margin <= 0:
            raise UsageError(f"margin = {margin}: a number above 0")
        room = margin - abs(self.estimate)
        if room <= 0:
            return 1 - tail(self.parts, -room)
        differing = math.floor(abs(self.estimate) * self.groups + 1e-9)
        by_chance = float(stats.binom.cdf(differing, self.groups, min(margin, 1.0)))
        return max(tail(self.parts, room), by_chance)


def reach(parts: Sequence[tuple[float, float]], tail: float) -> float:
    """How far from an estimate an interval reaches that leaves ``tail`` on each side.

    The root of the sum of (t error)^2, each part with the t of its own degrees of freedom (Banerjee 1960, Sankhya 22,
    351-358). For independent normal parts whose degrees are known it is proved never to cover less than it says, at any
    level and whatever the share of each; that it holds here, where the parts are estimates and scores are 0 or 1, is
    shown by simulation. A rule with one number of degrees for the sum (Satterthwaite) fails far out in the tails.
    """
    return math.hypot(*(_t(degrees, tail) * error for error, degrees in parts))


def tail(parts: Sequence[tuple[float, float]], distance: float) -> float:
    """The tail on each side at which :func:`reach` is this distance, 0 or more; at most 0.5."""
    if distance >= reach(parts, SMALLEST_TAIL):
        return 0.0
    low, high = math.log(SMALLEST_TAIL), math.log(0.5)
    return math.exp(optimize.brentq(lambda log: reach(parts, math.exp(log)) - distance, low, high, xtol=1e-12))


def _t(degrees: float, tail: float) -> float:
    return -float(special.stdtrit(degrees, tail))


def difference(first: Resampled, second: Resampled | None = None) -> Difference:
    """``first`` minus ``second``, paired by seed; ``first`` alone without a second.

    The variance of the crossed bootstrap, in which seeds are drawn and one draw of items (or groups) holds for all of
    them: what the means of the seeds vary by, and what the draws of items do. Each holds the interplay of seed and
    item, which stands once in the variance of a mean (Owen 2007, Ann. Appl. Stat. 1, 386-411) and is therefore taken
    off once, but never so that less is left than seeds, items or the interplay alone give. What differs between seeds
    is one part of the error, what is left of the whole the other; :func:`reach` says how they make an interval. With
    one seed the items alone are drawn: the answer is about these two networks, not about the two methods.

    Scores lie in [0, 1]. That nothing differed on N items does not make it certain that nothing ever will: the items'
    part is never less than one item more or less.

    Raises:
        UsageError: other seeds or items than the first's.
    """
    mean, draws = first.mean, first.draws
    if second is not None:
        if second.seeds != first.seeds or draws.shape != second.draws.shape or first.items != second.items:
            raise UsageError("difference: not the same seeds, items or draws; compare those that both have")
        mean, draws = mean - second.mean, draws - second.draws
    # G units drawn from G have a variance smaller by (G - 1) / G than what they stand for.
    draws = mean + (draws - mean) * (first.effective / (first.effective - 1)) ** 0.5
    count = len(first.seeds)
    centre = draws.mean(axis=1)
    of_items = float(centre.var(ddof=1))
    of_seeds, interplay = 0.0, 0.0
    if count > 1:
        interplay = float((draws - centre[:, None]).var(axis=0, ddof=1).mean()) / (count - 1)
        of_seeds = float(mean.var(ddof=1)) / count
    total = max(of_seeds + of_items - interplay, of_seeds, of_items, interplay)
    items = (math.hypot((total - of_seeds) ** 0.5, first.step), max(first.effective - 1, 1.0))
    return Difference(
        estimate=float(mean.mean()),
        parts=((of_seeds**0.5, float(count - 1)), items) if count > 1 else (items,),
        from_seeds=of_seeds**0.5 if count > 1 else float("nan"),
        from_items=of_items**0.5,
        interplay=interplay**0.5,
        seeds=count,
        items=first.items,
        groups=first.groups,
        each=tuple(mean.tolist()),
    )
