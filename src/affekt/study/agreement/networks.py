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
from affekt.study.frame import COMPARISON, Frame, finished_records, frame_in
from affekt.study.results import check_unaltered
from affekt.study.scores import PERMUTED, read_answers

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

    def right(self, run: Run) -> Floats:
        """``(N,)``: 1.0 where a network's likeliest class is the picture's own, else 0.0."""
        return is_right(self.probabilities[run], self.category)

    def seeds(self, condition: str) -> tuple[int, ...]:
        """Of the finished runs of a condition, in order."""
        return tuple(sorted(seed for name, seed in self.probabilities if name == condition))


def is_right(said: NDArray[Any], category: NDArray[np.int64]) -> Floats:
    """``(N,)``: 1.0 where the largest of ``(N, K)`` is that of the class, else 0.0."""
    return np.asarray(said.argmax(axis=1) == category, dtype=np.float64)


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
    folders: dict[Run, Path] = {(str(r["condition"]), int(r["seed"])): folder / r["folder"] for r in records}
    files = [
        _read(folder, place / "predictions.npz", str(r["predictions"]))
        for place, r in zip(folders.values(), records, strict=True)
    ]
    ids, category, _ = files[0]
    for place, (own, _, _) in zip(folders.values(), files, strict=True):
        if not np.array_equal(own, ids):
            raise AffektError(f"{place}: of other test pictures than the study's first run; all must share them")
    conditions = tuple(name for name in frame.conditions if any(name == run[0] for run in folders))
    possible = _possible(frame)
    declared = tuple(pair for pair in possible if {*pair} <= {*conditions})
    return Networks(
        folder=folder,
        recipe=frame.recipe,
        conditions=conditions,
        declared=declared,
        missing=len(possible) - len(declared),
        classes=frame.classes,
        ids=ids,
        category=category,
        probabilities={run: found[2] for run, found in zip(folders, files, strict=True)},
        folders=folders,
        notes=(*_short(frame, len(records)), *said),
    )


def _possible(frame: Frame) -> list[tuple[str, str]]:
    """The declared comparisons of conditions that this study can have, of the runs as they were tested."""
    asked = declared_comparisons(frame.recipe.study, [*frame.conditions, *frame.inapplicable])
    tested = [pair for pair in asked if not any(name.endswith(PERMUTED) for name in pair)]
    return [pair for pair in tested if not {*pair} & {*frame.inapplicable}]


def _short(frame: Frame, finished: int) -> list[str]:
    wanted = len(frame.conditions) * len(frame.seeds)
    return [f"{finished} of {wanted} runs are finished; all numbers are provisional"] if finished < wanted else []


def _read(study: Path, path: Path, digest: str) -> tuple[NDArray[np.str_], NDArray[np.int64], Floats]:
    """Ids, classes and probabilities of the test pictures that have a class."""
    check_unaltered(path, digest)
    ids, category, logs = read_answers(study, path)
    own = np.exp(logs)
    return ids, category, own / own.sum(axis=1, keepdims=True)
