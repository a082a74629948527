"""Comparison: what is finished in a study's folder, compared and written as comparison.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affekt.errors import AffektError
from affekt.recipe import Recipe
from affekt.study.comparing import compare_study
from affekt.study.conditions import METHODS, about
from affekt.study.folder import write_text
from affekt.study.frame import COMPARISON, TUNING, Frame, finished_records, of_frame
from affekt.study.results import Record
from affekt.study.scores import PERMUTED, read_scores
from affekt.study.verdict import lines, verdict
from affekt.training.full_memory import FULL

CITATION = """@misc{landi2026emotional,
  title  = {Emotional Regulation},
  author = {Landi and Rodrigues and Chinnici},
  year   = {2026},
  eprint = {2606.13081},
  archivePrefix = {arXiv}
}"""


def compare_folder(folder: Path, frame: Frame) -> dict[str, Any]:
    """Compare what is finished in a study's folder and write ``comparison.json``.

    Raises:
        AffektError: a run's predictions were altered, or nothing can be written.
    """
    if frame.recipe.of_clips:
        from affekt.study.clips.comparison import compare_clips_in

        return compare_clips_in(folder, frame)
    own, said = finished_records(folder, frame)
    scores = read_scores(folder, own)
    settings = frame.recipe.study
    found = compare_study(scores, own, settings, frame.conditions, frame.inapplicable)
    comparison: dict[str, Any] = {
        "method": settings.method,
        "reference": settings.reference,
        "metric": "accuracy",
        **of_frame(folder, frame, finished=len(own)),
        "tuning": read_tuning(folder),
        **found,
        "citation": CITATION if settings.method in METHODS else "",
    }
    for condition in comparison["conditions"]:
        name = condition["name"]
        condition["about"] = _about(frame.recipe, name)
        if condition.get("class_accuracy") is not None:
            condition["class_accuracy"] = dict(zip(frame.classes, condition["class_accuracy"], strict=True))
    comparison["verdict"] = verdict(comparison, settings)
    comparison["notes"] = [*lines(comparison), *_of_memory(own), *said]
    write_text(folder / COMPARISON, json.dumps(comparison, indent=1, allow_nan=False) + "\n")
    return comparison


def _of_memory(records: Sequence[Record]) -> list[str]:
    """Runs whose batches did not fit into memory, which may be why they differ from others."""
    return [
        f"{record['condition']}, seed {record['seed']}: {note}"
        for record in records
        for note in record["notes"]
        if note.startswith(FULL)
    ]


def read_tuning(folder: Path) -> dict[str, Any] | None:
    """What ``tuning.json`` of a study says of its learning rates; None where no grid was tried.

    Raises:
        AffektError: it is damaged.
    """
    path = folder / TUNING
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise AffektError(f"{path}: damaged ({error}); delete it, and affekt study writes it anew") from None
    return found


def _about(recipe: Recipe, name: str) -> str:
    if name.endswith(PERMUTED):
        return f"the runs of {name.removesuffix(PERMUTED)}, tested with other pictures' affect states"
    return about(recipe, name)
