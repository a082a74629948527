"""Comparison: what is finished in a study's folder, compared and written as comparison.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt import __version__
from affekt.errors import AffektError
from affekt.recipe import Recipe, load_recipe
from affekt.study.comparing import ALPHA, compare_study
from affekt.study.conditions import METHODS, about
from affekt.study.folder import ERROR, RunFolder, write_text
from affekt.study.jobs import run_folder
from affekt.study.results import Record, read
from affekt.study.scores import PERMUTED, read_scores
from affekt.study.verdict import lines, verdict

COMPARISON = "comparison.json"
TUNING = "tuning.json"
FORMAT = 1

CITATION = """@misc{landi2026emotional,
  title  = {Emotional Regulation},
  author = {Landi and Rodrigues and Chinnici},
  year   = {2026},
  eprint = {2606.13081},
  archivePrefix = {arXiv}
}"""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a comparison must know of a study beside its runs; it stands in ``comparison.json``, so that a study can be
    compared again where its data are not.

    Attributes:
        recipe: complete.
        conditions: names, in order.
        inapplicable: name -> reason.
        seeds, declared: all, and those that were declared before the first run.
        classes: of the target.
        state_names: what each number of the method's affect state is about.
        provenance: name, licence and citation of every data set.
    """

    recipe: Recipe
    conditions: tuple[str, ...]
    inapplicable: Mapping[str, str]
    seeds: tuple[int, ...]
    declared: tuple[int, ...]
    classes: tuple[str, ...]
    state_names: tuple[str, ...]
    provenance: tuple[Mapping[str, str], ...]


def frame_in(folder: Path) -> Frame:
    """The frame of a study that was begun, from its folder alone.

    Raises:
        AffektError: no study there, or a damaged one.
    """
    held = read_comparison(folder)
    seeds = held["seeds"]
    return Frame(
        recipe=load_recipe(folder / "recipe.toml"),
        conditions=tuple(held["planned"]),
        inapplicable=held["inapplicable"],
        seeds=(*seeds["declared"], *seeds["added"]),
        declared=tuple(seeds["declared"]),
        classes=tuple(held["classes"]),
        state_names=tuple(held["state_names"]),
        provenance=tuple(held["provenance"]),
    )


def seeds_in(folder: Path) -> int:
    """One more than the highest seed of which the folder has a line; 0 where it has none."""
    return max((int(record["seed"]) + 1 for record in read(folder)[0]), default=0)


def finished_records(folder: Path, frame: Frame) -> tuple[list[Record], list[str]]:
    """The lines of a study's finished runs, and what to say of lines that are not whole."""
    records, said = read(folder)
    asked = [r for r in records if r["condition"] in frame.conditions and r["seed"] in frame.seeds]
    # A run whose folder was deleted is one to be done again.
    return [r for r in asked if RunFolder(folder / r["folder"]).result() is not None], said


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
        "format": FORMAT,
        "name": frame.recipe.name,
        "about": frame.recipe.about,
        "affekt_version": __version__,
        "method": settings.method,
        "reference": settings.reference,
        "metric": "accuracy",
        "margin": settings.margin,
        "alpha": ALPHA,
        "draws": settings.draws,
        "seeds": {
            "declared": list(frame.declared),
            "added": [seed for seed in frame.seeds if seed not in frame.declared],
        },
        "planned": list(frame.conditions),
        "runs": {"finished": len(own), "declared": len(frame.conditions) * len(frame.seeds)},
        "failed": failed_runs(folder, frame),
        "inapplicable": dict(frame.inapplicable),
        "classes": list(frame.classes),
        "state_names": list(frame.state_names),
        "tuning": read_tuning(folder),
        **found,
        "provenance": [dict(entry) for entry in frame.provenance],
        "citation": CITATION if settings.method in METHODS else "",
    }
    for condition in comparison["conditions"]:
        name = condition["name"]
        condition["about"] = _about(frame.recipe, name)
        if condition.get("class_accuracy") is not None:
            condition["class_accuracy"] = dict(zip(frame.classes, condition["class_accuracy"], strict=True))
    comparison["verdict"] = verdict(comparison, settings)
    comparison["notes"] = [*lines(comparison), *said]
    write_text(folder / COMPARISON, json.dumps(comparison, indent=1, allow_nan=False) + "\n")
    return comparison


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


def failed_runs(folder: Path, frame: Frame) -> list[dict[str, Any]]:
    """Condition, seed and error of each run that failed and has not been done since."""
    found = []
    for seed in frame.seeds:
        for name in frame.conditions:
            run = RunFolder(folder / run_folder(name, seed))
            path = run.path / ERROR
            if path.exists() and run.result() is None:
                error = json.loads(path.read_text(encoding="utf-8"))["error"]
                found.append({"condition": name, "seed": seed, "error": error})
    return found


def read_comparison(folder: Path) -> dict[str, Any]:
    """``comparison.json`` of a study.

    Raises:
        AffektError: none there, damaged, or of a later format.
    """
    path = folder / COMPARISON
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AffektError(
            f"{folder}: no {COMPARISON} in it; run it first: affekt study RECIPE --out {folder}"
        ) from None
    except json.JSONDecodeError as error:
        raise AffektError(f"{path}: damaged ({error}); affekt study RECIPE --out {folder} writes it anew") from None
    if found.get("format", 0) > FORMAT:
        raise AffektError(f"{path}: format {found['format']}, this affekt reads {FORMAT}: pip install -U affekt")
    return found
