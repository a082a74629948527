"""Folds: one run over all folds of a set, each in a folder of its own, its test predictions pooled at the end."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from affekt.data.audiovisual import Clips, ClipSplits, split_clips
from affekt.data.audiovisual.splits import LEAKY, count_folds
from affekt.multimodal.metrics import task_metrics
from affekt.recipe import ClipSettings, Recipe
from affekt.study.clips.cautions import over_folds
from affekt.study.clips.given import names_of, under
from affekt.study.clips.opening import ClipSet
from affekt.study.clips.records import LOGS, Arrays, left_out, read_test
from affekt.study.folder import RunFolder
from affekt.study.records import plain

FOLDS = "folds"
OF_A_FOLD = ("balanced_accuracy", "accuracy", "nll")
"""Metrics of each task that a run's result repeats of each fold."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One fold of a run.

    Attributes:
        number: from 0; with one speaker left out at a time, in the order of their names.
        folder: within the run's.
        recipe: the run's, for this fold alone.
    """

    number: int
    folder: RunFolder
    recipe: Recipe


def cross_validated(settings: ClipSettings) -> bool:
    """Whether a run is one over all folds."""
    return settings.fold is None and (settings.folds is not None or settings.leave_one_out)


def fold_numbers(clips: Clips, settings: ClipSettings) -> Sequence[int | None]:
    """The folds that a run trains; of a run of one split the one that is set, or None.

    Raises:
        UsageError: a column to split by that the set does not have.
    """
    return range(count_folds(clips, settings)) if cross_validated(settings) else [settings.fold]


def cut(clips: Clips, settings: ClipSettings, fold: int | None, seed: int) -> ClipSplits:
    """The splits of a fold; on labels alone.

    Raises:
        UsageError, DataError: as :func:`~affekt.data.audiovisual.split_clips`.
    """
    return split_clips(clips, replace(settings, fold=fold), seed)


def each_fold(recipe: Recipe, folder: RunFolder, clips: Clips) -> list[Fold]:
    """The folds of a run.

    Raises:
        UsageError: a column to split by that the set does not have.
    """
    return [
        Fold(
            number=k,
            folder=RunFolder(folder.path / FOLDS / f"fold-{k}"),
            recipe=replace(recipe, clips=replace(recipe.clips, fold=k)),
        )
        for k in range(count_folds(clips, recipe.clips))
    ]


def unfinished(folds: Sequence[Fold]) -> list[Fold]:
    """Those without a result."""
    return [fold for fold in folds if fold.folder.result() is None]


def pool(folder: RunFolder, folds: Sequence[Fold], *, recipe: Recipe, what: str, whole: ClipSet) -> None:
    """Write the run's predictions, every clip once, and its result; let go of the folds' checkpoints.

    Nobody goes on from a finished fold: its weights are in its ``model``, and a study has hundreds of them.
    """
    results = [fold.folder.result() or {} for fold in folds]
    arrays = _pooled(folds)
    folder.write_predictions({f"test/{name}": values for name, values in arrays.items()})
    for fold in folds:
        shutil.rmtree(fold.folder.path / "checkpoints", ignore_errors=True)
    tasks = results[0]["tasks"]
    metrics = plain(pooled_metrics(arrays, tasks))
    notes = [result["notes"] for result in results]
    said = [line for line in over_folds(notes) if line not in results[0]["notes"]]
    common = [note for note in results[0]["notes"] if all(note in result["notes"] for result in results)]
    problems = sorted({line for result in results for line in result["unreadable"]})
    folder.write_result(
        {
            "name": recipe.name,
            "condition": what,
            "seed": recipe.seed,
            "tasks": tasks,
            "metrics": {"test": metrics},
            "losses": {"test": {task: metrics[f"{task}/nll"] for task in tasks}},
            "n": {"test": len(arrays["ids"]), "folds": len(folds)},
            **left_out(whole, problems),
            "epochs": max(result["epochs"] for result in results),
            "steps": sum(result["steps"] for result in results),
            "best_epoch": None,
            "stopped_early": any(result["stopped_early"] for result in results),
            "parameters": results[0]["parameters"],
            "folds": [_fold(fold, result, recipe.clips) for fold, result in zip(folds, results, strict=True)],
            "notes": [
                *common,
                *said,
                f"{len(folds)} folds, each clip tested once by a network that did not learn from it",
            ],
        }
    )


def _fold(fold: Fold, result: dict[str, Any], settings: ClipSettings) -> dict[str, Any]:
    test = result["metrics"]["test"]
    return {
        "fold": fold.number,
        # Of a leaky split, every fold holds nearly everybody.
        "held": [] if settings.split_by in LEAKY else result["held"],
        "n": result["n"],
        "best_epoch": result["best_epoch"],
        "metrics": {f"{task}/{name}": test[f"{task}/{name}"] for task in result["tasks"] for name in OF_A_FOLD},
    }


def _pooled(folds: Sequence[Fold]) -> Arrays:
    """Test predictions of all folds in the order of the clips' names, with the fold that each was tested in."""
    found: dict[str, list[Any]] = {}
    for fold in folds:
        arrays = read_test(fold.folder.predictions)
        arrays["fold"] = np.full(len(arrays["ids"]), fold.number)
        for name, values in arrays.items():
            found.setdefault(name, []).append(values)
    order = np.argsort(np.concatenate(found["ids"]))
    return {name: np.concatenate(values)[order] for name, values in found.items()}


def pooled_metrics(arrays: Arrays, tasks: dict[str, list[str]]) -> dict[str, float]:
    """Metrics over all clips at once: a speaker's clips count like everybody's, and a class like every other."""
    labels = {task: arrays[f"label/{task}"] for task in tasks}
    found = task_metrics({task: arrays[f"{task}{LOGS}"] for task in tasks}, labels, tasks)
    alone: dict[str, Arrays] = {}
    for name, word, task in names_of(list(arrays)):
        alone.setdefault(word, {})[task] = arrays[name]
    for word, logs in alone.items():
        found |= under(word, task_metrics(logs, labels, tasks))
    return found
