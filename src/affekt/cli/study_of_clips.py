"""What ``affekt study`` prints of a study of clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affekt.cli.printing import write, write_table
from affekt.study.content import Comparison


def print_clips(comparison: Comparison) -> None:
    """The sentence, average recall by task and condition, the declared comparisons, and the leak beside them."""
    write(f"{comparison['verdict']['sentence']}\n")
    _recalls(comparison)
    _given(comparison)
    _differences(comparison)
    _leaks(comparison)
    write(f"\n{comparison['verdict']['rules']}")
    for note in comparison["notes"]:
        write(f"note: {note}")


def _recalls(comparison: Comparison) -> None:
    from affekt.study.clips.report.naming import on_what, shown
    from affekt.study.clips.report.tables import rows

    write(f"On {on_what(comparison)}:")
    write_table(
        ("task", "condition", "seeds", "UAR, %", "95 % from", "to", "SD", "NLL"),
        (
            (task, shown(c), len(c["seeds"]), *_recall(found["uar"]), round(found["nll"]["mean"], 3))
            for c, task, found in rows(comparison)
        ),
    )


def _recall(found: Mapping[str, float | None]) -> list[float | None]:
    values = [found[key] for key in ("mean", "low", "high", "sd")]
    return [None if value is None else round(value, 1) for value in values]


def _given(comparison: Comparison) -> None:
    """Of networks of sound and pictures that were also tested with one of the two."""
    from affekt.study.clips.report.given import given_table

    records = given_table(comparison).records
    if records:
        write("\nNetworks of sound and pictures, given one of the two at test:")
        columns = ("task", "condition", "given", "uar", "low", "high", "difference")
        write_table(
            ("task", "condition", "given", "UAR, %", "95 % from", "to", "minus both"),
            ([r[c] if isinstance(r[c], str) else round(r[c], 1) for c in columns] for r in records),
        )


def _differences(comparison: Comparison) -> None:
    made = [c for c in comparison["comparisons"] if "verdict" in c]
    if made:
        write("\nDifferences in absolute points of unweighted average recall (UAR):")
        write_table(
            ("comparison", "task", "seeds", "points", "95 % from", "to", "p (Holm)", "verdict"),
            ((c["name"], c["task"], len(c["seeds"]), *_points(c), c["p_holm"], c["verdict"]) for c in made),
        )


def _leaks(comparison: Comparison) -> None:
    if comparison["leaks"]:
        write("\nWhat a split that shares speakers would have claimed, no evidence:")
        write_table(
            ("leaky condition", "minus", "task", "seeds", "points", "95 % from", "to"),
            ((c["condition"], c["against"], c["task"], c["n_seeds"], *_points(c)) for c in comparison["leaks"]),
        )


def _points(found: Mapping[str, Any]) -> list[float]:
    return [round(found[key], 1) for key in ("estimate", "low", "high")]
