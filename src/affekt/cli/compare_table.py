"""How ``affekt compare-humans`` prints a comparison: a table a part, people on top, then the paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.cli.printing import write, write_table

if TYPE_CHECKING:
    from affekt.humans.comparison import Comparison, Measure, Part

UNDEFINED = "undefined"


def said(cautions: Sequence[str], notes: Sequence[str]) -> list[str]:
    """The lines that follow the tables of a comparison."""
    forbidden = [f"not to be concluded: {caution[:1].lower()}{caution[1:]}" for caution in cautions]
    return [*forbidden, *(f"note: {note}" for note in notes)]


def print_comparison(found: Comparison) -> None:
    """Every part; further numbers stand in ``agreement.json``."""
    for number, part in enumerate(found.parts):
        write("\n" * bool(number) + _heading(part))
        write_table(("", *(m.title for m in part.measures)), _rows(part))
        _print_pairs(part)


def _heading(part: Part) -> str:
    from affekt.humans.comparison.report.charts.measures import units

    simulated = "; people simulated from votes" if part.simulated else ""
    return f"{part.title} ({units(part)}{simulated})"


def _rows(part: Part) -> list[list[str]]:
    from affekt.humans.comparison.report.charts.measures import in_full, line_in_words

    rows = []
    if any(m.people is not None for m in part.measures):
        lines = [m.people for m in part.measures]
        rows.append(["people", *(line_in_words(line) for line in lines)])
    for model in part.models:
        values = [m.models[model].value for m in part.measures]
        rows.append([model, *(UNDEFINED if value is None else in_full(value) for value in values)])
    return rows


def _print_pairs(part: Part) -> None:
    """Of the measure that stands for the part: with its interval and its p over all pairs."""
    from affekt.humans.comparison.report.page import headline
    from affekt.report.numbers import interval, probability, signed

    measure: Measure = headline(part)
    if measure.pairs:
        write("")
        write_table(
            (measure.title, "difference", "95 % interval", "p", "p (Holm)"),
            [
                [
                    f"{pair.first} - {pair.second}",
                    signed(pair.value, 3),
                    interval(pair.low, pair.high, 3, sign=True),
                    probability(pair.p),
                    probability(pair.p_holm),
                ]
                for pair in measure.pairs
            ],
        )
