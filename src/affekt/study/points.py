"""Points: scores in percent and their differences in absolute points, as comparison.json holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from affekt.study.statistics import Comparison, Difference, Resampled, difference, smallest_difference

ALPHA = 0.05
POINT = 100.0
"""Shares -> percentage points."""

Json = dict[str, Any]


def spread(values: Sequence[float]) -> Json:
    """Mean, standard deviation (None of one value) and each."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": sd, "each": list(values)}


def percent(drawn: Resampled) -> Json:
    """A condition's score in percent: its spread over seeds, and the ends of its 95 % interval within 0 and 100."""
    alone = difference(drawn)
    low, high = alone.interval()
    ends = {"low": max(0.0, POINT * low), "high": min(POINT, POINT * high)}
    return {**spread([POINT * x for x in alone.each]), **ends}


def common_seeds(first: str, second: str, drawn: Mapping[str, Resampled]) -> list[int]:
    """Seeds that both conditions have; none where one of them has no run."""
    return [s for s in drawn[first].seeds if s in drawn[second].seeds] if {first, second} <= drawn.keys() else []


def paired(first: str, second: str, drawn: Mapping[str, Resampled]) -> Difference | None:
    """First minus second over the seeds that both have; None without such a seed."""
    seeds = common_seeds(first, second, drawn)
    return difference(drawn[first].of(seeds), drawn[second].of(seeds)) if seeds else None


def points(d: Difference) -> Json:
    """``estimate`` with the ``low`` and ``high`` end of its 95 % interval."""
    low, high = d.interval()
    return {"estimate": POINT * d.estimate, "low": POINT * low, "high": POINT * high}


def compared(c: Comparison, seeds: Sequence[int], *, family: int, units: str) -> Json:
    """A declared comparison.

    Args:
        seeds: that both sides have.
        family: comparisons that were declared. What a study finds is what passes the first step of Holm: a share of
            alpha for each of them.
        units: what is drawn beside seeds, for the key ``from_<units>``.
    """
    d = c.difference
    return {
        **points(d),
        "p": d.p,
        "p_holm": c.p,
        "p_equivalent": c.p_equivalent,
        "adjusted_low": POINT * c.low,
        "adjusted_high": POINT * c.high,
        "verdict": c.verdict,
        "seeds": list(seeds),
        "each": [POINT * x for x in d.each],
        "from_seeds": POINT * d.from_seeds if d.seeds > 1 else None,
        f"from_{units}": POINT * d.from_items,
        "parts": [{"standard_error": POINT * error, "degrees": degrees} for error, degrees in d.parts],
        "smallest": POINT * smallest_difference(d, alpha=ALPHA / family),
    }
