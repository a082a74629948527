"""Naming: what tables and figures of a study of clips call its test clips and its conditions."""

from __future__ import annotations

from affekt.report.numbers import count, counted
from affekt.study.content import Comparison

LEAKS = " (leaks)"
"""Behind the name of a leaky condition; no name has a bracket."""


def on_what(comparison: Comparison) -> str:
    """``408 test clips of 8 speakers``, or ``408 composed test clips of 8 speakers``."""
    speakers = counted(int(comparison.get("n_groups") or 0), "speaker")
    composed = "composed " if comparison.get("composed") else ""
    return f"{count(comparison.get('n_items'))} {composed}test clips of {speakers}"


def shown(condition: Comparison) -> str:
    """What tables and figures call a condition."""
    return f"{condition['name']}{LEAKS}" if condition["leaky"] else str(condition["name"])
