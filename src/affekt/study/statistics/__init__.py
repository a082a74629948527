"""Statistics of a study: pure functions on arrays of per-item scores; nothing here reads a file or trains."""

from __future__ import annotations

from affekt.study.statistics.attribution import CHAIN, PRETRAINED_CHAIN, Attribution, Link, attribute
from affekt.study.statistics.by_group import ByGroup, by_group
from affekt.study.statistics.comparisons import RULES, Comparison, Verdict, compare, mcnemar
from affekt.study.statistics.difference import Difference, difference
from affekt.study.statistics.power import seeds_needed, smallest_difference
from affekt.study.statistics.resampling import Resampled, resample

__all__ = [
    "CHAIN",
    "PRETRAINED_CHAIN",
    "RULES",
    "Attribution",
    "ByGroup",
    "Comparison",
    "Difference",
    "Link",
    "Resampled",
    "Verdict",
    "attribute",
    "by_group",
    "compare",
    "difference",
    "mcnemar",
    "resample",
    "seeds_needed",
    "smallest_difference",
]
