"""The tables of ``affekt probe``: people's ceiling, each line of results, differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affekt.cli.printing import Cell, write, write_table

if TYPE_CHECKING:
    from affekt.humans.probing import ProbeResult


def print_probe(found: ProbeResult) -> None:
    """Everything that a call gives, as text."""
    _print_people(found.people)
    for dimension, facts in found.people.items():
        write(f"\n{dimension}, held out by {found.lines[0]['unit'] if found.lines else 'group'}:")
        write_table(HEADER, (_row(line, dimension, facts["value"]) for line in found.lines))
    if found.differences:
        write(f"\nDifferences of r to {found.differences[0]['second']}; p adjusted for all {len(found.differences)}:")
        write_table(
            ("model", "dimension", "r less its r", "95 % from", "to", "p (Holm)"), map(_pair, found.differences)
        )
    for note in found.notes:
        write(f"note: {note}")
    write(f"\nfolder: {found.folder}")


def _print_people(people: Mapping[str, Mapping[str, Any]]) -> None:
    header = ("people", "n", "groups", "ceiling of r", "95 % from", "to", "reliability", "raters")
    write_table(header, (_ceiling(name, facts) for name, facts in people.items()))


def _ceiling(name: str, facts: Mapping[str, Any]) -> list[Cell]:
    numbers = [_rounded(facts.get(key)) for key in ("value", "low", "high", "reliability")]
    raters = facts.get("raters")
    return [name, facts["n"], facts["groups"], *numbers, None if raters is None else round(raters)]


HEADER = (
    "model", "layer", "features", "r", "95 % from", "to", "SD of repeats", "within folds", "Spearman", "CCC", "RMSE",
    "% of ceiling",
)  # fmt: skip


def _row(line: Mapping[str, Any], dimension: str, ceiling: float | None) -> list[Cell]:
    scores = line["scores"][dimension]
    r = scores["pearson"]
    own = [_rounded(r[key]) for key in ("value", "low", "high", "sd", "within_folds")]
    others = [_rounded(scores[name]["value"]) for name in ("spearman", "ccc", "rmse")]
    share = None if ceiling is None or r["value"] is None else round(100 * r["value"] / ceiling, 1)
    return [line["subject"], line["layer"], line["features"], *own, *others, share]


def _pair(d: Mapping[str, Any]) -> list[Cell]:
    return [d["first"], d["dimension"], *(_rounded(d[key]) for key in ("value", "low", "high")), _p(d["p_holm"])]


def _p(value: float | None) -> str:
    """A p of 1e-30 would say more of the tail of t than of the networks."""
    return "" if value is None else "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3) + 0.0  # no negative zero
