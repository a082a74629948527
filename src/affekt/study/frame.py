"""Frame: what a study's folder says of the study - what was declared, which runs are finished, which failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt import __version__
from affekt.errors import AffektError
from affekt.recipe import Recipe, load_recipe
from affekt.study.folder import ERROR, RunFolder
from affekt.study.jobs import run_folder
from affekt.study.points import ALPHA
from affekt.study.results import Record, read

COMPARISON = "comparison.json"
TUNING = "tuning.json"
FORMAT = 1
"""Of ``comparison.json``."""

OF_A_STUDY = ("recipe.toml", "environment.json", TUNING, COMPARISON)
"""Files of a study that an archive keeps."""

OF_A_RUN = ("recipe.toml", "environment.json", "result.json")
LOG = "log.jsonl"


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


def of_frame(folder: Path, frame: Frame, *, finished: int) -> dict[str, Any]:
    """The keys of ``comparison.json`` that follow from the frame: what was declared, and how far the study has come.

    Args:
        finished: number of finished runs.
    """
    settings = frame.recipe.study
    return {
        "format": FORMAT,
        "name": frame.recipe.name,
        "about": frame.recipe.about,
        "affekt_version": __version__,
        "margin": settings.margin,
        "alpha": ALPHA,
        "draws": settings.draws,
        "seeds": {
            "declared": list(frame.declared),
            "added": [seed for seed in frame.seeds if seed not in frame.declared],
        },
        "planned": list(frame.conditions),
        "runs": {"finished": finished, "declared": len(frame.conditions) * len(frame.seeds)},
        "failed": failed_runs(folder, frame),
        "inapplicable": dict(frame.inapplicable),
        "classes": list(frame.classes),
        "state_names": list(frame.state_names),
        "provenance": [dict(entry) for entry in frame.provenance],
    }


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


def what_they_are(comparison: Mapping[str, Any]) -> list[str]:
    """A line for each condition that says what it is."""
    return [f"{c['name']}: {c['about']}" for c in comparison.get("conditions") or () if c.get("about")]
