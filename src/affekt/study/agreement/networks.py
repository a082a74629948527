"""Networks: what every finished run of a study said of the test pictures, from the predictions that it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError, DataError
from affekt.recipe import Recipe
from affekt.study.comparing import declared_comparisons
from affekt.study.comparison import COMPARISON, finished_records, frame_in
from affekt.study.results import hash_of
from affekt.study.scores import PERMUTED

Floats = NDArray[np.float64]
Run = tuple[str, int]
"""Condition and seed."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The finished runs of a study on the N test pictures that have a class.

    Attributes:
        folder: of the study.
        recipe: complete.
        conditions: those with a finished run, in the study's order.
        declared: ``(first, second)`` of every declared comparison of these.
        missing: how many declared comparisons lack a condition; they count in every adjustment.
        classes: K names.
        ids, category: ``(N,)``.
        probabilities: (condition, seed) -> ``(N, K)``.
        folders: (condition, seed) -> folder of the run.
        notes: what a reader must know, in sentences.
    """

    folder: Path
    recipe: Recipe
    conditions: tuple[str, ...]
    declared: tuple[tuple[str, str], ...]
    missing: int
    classes: tuple[str, ...]
    ids: NDArray[np.str_]
    category: NDArray[np.int64]
    probabilities: Mapping[Run, Floats]
    folders: Mapping[Run, Path]
    notes: tuple[str, ...] = ()

    def seeds(self, condition: str) -> tuple[int, ...]:
        """Of the finished runs of a condition, in order."""
        return tuple(sorted(seed for name, seed in self.probabilities if name == condition))


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study that was begun."""
    return (folder / COMPARISON).is_file()


def read_networks(folder: Path | str) -> Networks:
    """
    Raises:
        AffektError: no study there, predictions that were altered, or runs of other test pictures.
        DataError: no finished run, or one whose predictions an archive left out.
    """
    folder = Path(folder)
    frame = frame_in(folder)
    records, said = finished_records(folder, frame)
    if not records:
        raise DataError(f"{folder}: no run of this study is finished; finish it: affekt study RECIPE --out {folder}")
    probabilities: dict[Run, Floats] = {}
    folders: dict[Run, Path] = {}
    items: tuple[NDArray[np.str_], NDArray[np.int64]] | None = None
    for record in records:
        place = folder / record["folder"]
        ids, category, own = _read(place / "predictions.npz", str(record["predictions"]))
        if items is None:
            items = ids, category
        elif not np.array_equal(items[0], ids):
            raise AffektError(f"{place}: of other test pictures than the study's first run; all must share them")
        run = str(record["condition"]), int(record["seed"])
        probabilities[run], folders[run] = own, place
    assert items is not None
    conditions = tuple(name for name in frame.conditions if any(name == run[0] for run in probabilities))
    asked = declared_comparisons(frame.recipe.study, [*frame.conditions, *frame.inapplicable])
    asked = [pair for pair in asked if not any(name.endswith(PERMUTED) for name in pair)]
    possible = [pair for pair in asked if not {*pair} & {*frame.inapplicable}]
    declared = tuple(pair for pair in possible if {*pair} <= {*conditions})
    wanted = len(frame.conditions) * len(frame.seeds)
    short = [f"{len(records)} of {wanted} runs are finished; all numbers are provisional"] * (len(records) < wanted)
    return Networks(
        folder=folder,
        recipe=frame.recipe,
        conditions=conditions,
        declared=declared,
        missing=len(possible) - len(declared),
        classes=frame.classes,
        ids=items[0],
        category=items[1],
        probabilities=probabilities,
        folders=folders,
        notes=(*short, *said),
    )


def _read(path: Path, digest: str) -> tuple[NDArray[np.str_], NDArray[np.int64], Floats]:
    """Ids, classes and probabilities of the test pictures that have a class."""
    if hash_of(path) != digest:
        raise AffektError(
            f"{path}: altered since the run was finished (its hash differs from that in results.jsonl); delete the "
            "folder of that run, and the study trains it anew"
        )
    with np.load(path, allow_pickle=False) as found:
        if "test/log_probabilities" not in found:
            raise DataError(f"{path}: what was said of each picture is not in it (a study out of an archive)")
        arrays: dict[str, Any] = {
            name: found[f"test/{name}"] for name in ("ids", "label/category", "log_probabilities")
        }
    known = arrays["label/category"] >= 0
    own = np.exp(arrays["log_probabilities"][known].astype(np.float64))
    return arrays["ids"][known], arrays["label/category"][known], own / own.sum(axis=1, keepdims=True)
