"""What ``affekt study`` prints of a study of clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affekt.cli.printing import write, write_table


def print_clips(comparison: Mapping[str, Any]) -> None:
    """The sentence, average recall by task and condition, the declared comparisons, and the leak beside them."""
    from affekt.study.clips.report.given import given_table
    from affekt.study.clips.report.naming import on_what, shown
    from affekt.study.clips.report.tables import rows

    write(f"{comparison['verdict']['sentence']}\n")
    write(f"On {on_what(comparison)}:")
    write_table(
        ("task", "condition", "seeds", "UAR, %", "95 % from", "to", "SD", "NLL"),
        (
            (
                task,
                shown(c),
                len(c["seeds"]),
                *(
                    None if found["uar"][k] is None else round(found["uar"][k], 1)
                    for k in ("mean", "low", "high", "sd")
                ),
                round(found["nll"]["mean"], 3),
            )
            for c, task, found in rows(comparison)
        ),
    )
    if alone := given_table(comparison).records:
        write("\nNetworks of sound and pictures, given one of the two at test:")
        columns = ("task", "condition", "given", "uar", "low", "high", "difference")
        write_table(
            ("task", "condition", "given", "UAR, %", "95 % from", "to", "minus both"),
            ([r[c] if isinstance(r[c], str) else round(r[c], 1) for c in columns] for r in alone),
        )
    made = [c for c in comparison["comparisons"] if "verdict" in c]
    if made:
        write("\nDifferences in absolute points of unweighted average recall (UAR):")
        write_table(
            ("comparison", "task", "seeds", "points", "95 % from", "to", "p (Holm)", "verdict"),
            ((c["name"], c["task"], len(c["seeds"]), *_points(c), c["p_holm"], c["verdict"]) for c in made),
        )
    if comparison["leaks"]:
        write("\nWhat a split that shares speakers would have claimed, no evidence:")
        write_table(
            ("leaky condition", "minus", "task", "seeds", "points", "95 % from", "to"),
            ((c["condition"], c["against"], c["task"], c["n_seeds"], *_points(c)) for c in comparison["leaks"]),
        )
    write(f"\n{comparison['verdict']['rules']}")
    for note in comparison["notes"]:
        write(f"note: {note}")


def _points(found: Mapping[str, Any]) -> list[float]:
    return [round(found[key], 1) for key in ("estimate", "low", "high")]
