"""Records: what a run on clips leaves in its folder - predictions by split, the model with its card, the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual import Clips, clip_dataset
from affekt.data.audiovisual.composed import meaning
from affekt.data.split_record import Splits
from affekt.multimodal import AudioVisualNetwork
from affekt.recipe import Recipe
from affekt.study.clips.absent import NOTHING
from affekt.study.clips.given import PLACE, under
from affekt.study.clips.opening import ClipSet
from affekt.study.folder import RunFolder
from affekt.study.records import card_of, parameters, plain
from affekt.training import Evaluation, TrainingResult

Arrays = dict[str, NDArray[Any]]

LOGS = "/log_probabilities"
"""Behind the name of a task: what a network says of it."""


def write_records(
    folder: RunFolder,
    *,
    recipe: Recipe,
    what: str,
    model: AudioVisualNetwork,
    whole: ClipSet,
    splits: Splits[Clips],
    fitted: TrainingResult,
    evaluations: Mapping[str, Evaluation],
    given: Mapping[str, Evaluation],
    learned: Mapping[str, float],
    problems: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Predictions, model and, last, the result: nothing in them depends on the clock.

    Args:
        given: what alone was given of the test clips -> their scores.
        learned: metrics on the training clips.
        problems: lines of clips that could not be read, found in training.
        notes: what was to be known before the training.
    """
    folder.write_predictions(predictions(splits.parts, evaluations) | _alone(given))
    metrics = {split: plain(e.metrics) for split, e in evaluations.items()}
    for word, evaluation in given.items():
        metrics["test"] |= plain(under(word, evaluation.metrics))
    datasets = provenance(recipe, whole.clips.composed)
    model.save_pretrained(
        folder.model, card=card_of(model, recipe, what, metrics=_for_card(evaluations), datasets=datasets)
    )
    test = splits.parts.get("test")
    folder.write_result(
        {
            "name": recipe.name,
            "condition": what,
            "seed": recipe.seed,
            "tasks": {task: list(classes) for task, classes in model.classes.items()},
            "metrics": {"train": plain(learned), **metrics},
            "losses": {split: plain(e.losses) for split, e in evaluations.items()},
            "n": {name: len(part) for name, part in splits.parts.items()},
            "held": [] if test is None else np.unique(test.groups).tolist(),
            **left_out(whole, problems),
            "epochs": fitted.epochs,
            "steps": fitted.steps,
            "best_epoch": fitted.best_epoch,
            "stopped_early": fitted.stopped_early,
            "parameters": parameters(model),
            "notes": [*splits.notes, *whole.notes, *notes],
        }
    )


def left_out(whole: ClipSet, problems: Sequence[str] = ()) -> dict[str, Any]:
    """Clips that are not in the numbers, by reason."""
    unreadable = [*whole.unreadable, *sorted(line for line in problems if line not in whole.unreadable)]
    return {"missing": whole.clips.missing, "dropped": dict(whole.dropped), "unreadable": unreadable}


def predictions(parts: Mapping[str, Clips], evaluations: Mapping[str, Evaluation]) -> Arrays:
    """``split/name`` arrays: ids, groups, ``label/<task>`` of all tasks that were read (-1 for unknown), outputs."""
    arrays: Arrays = {}
    for split, evaluation in evaluations.items():
        clips = parts[split]
        rows = np.arange(len(clips)) if evaluation.rows is None else evaluation.rows
        arrays |= {f"{split}/ids": clips.ids[rows], f"{split}/groups": clips.groups[rows]}
        arrays |= {f"{split}/label/{task}": found.index[rows] for task, found in clips.labels.items()}
        arrays |= {f"{split}/{name}": values for name, values in evaluation.outputs.items()}
    return arrays


def _alone(given: Mapping[str, Evaluation]) -> Arrays:
    """``test/given/<what>/<task>``: log-probabilities, in the order of ``test/ids``."""
    return {
        f"test/{PLACE}{word}/{name.removesuffix(LOGS)}": values
        for word, evaluation in given.items()
        for name, values in evaluation.outputs.items()
        if name.endswith(LOGS)
    }


def read_test(path: Path) -> Arrays:
    """The test part of :func:`predictions`, names without ``test/``; nothing where no split was tested."""
    with np.load(path, allow_pickle=False) as found:
        return {name.removeprefix("test/"): found[name] for name in found.files if name.startswith("test/")}


def _for_card(evaluations: Mapping[str, Evaluation]) -> dict[str, float]:
    """All metrics but the confusions, whose number is the square of the classes'."""
    found = {f"{split} {k}": v for split, e in evaluations.items() for k, v in e.metrics.items()}
    return {k: v for k, v in found.items() if "/confusion/" not in k}


def provenance(recipe: Recipe, composed: str = "") -> list[dict[str, str]]:
    """Licence and citation of the clips, and of the weights that the network started from.

    Args:
        composed: of composed clips, the sets that they are of; their entry says so under ``composed``, too.
    """
    known = clip_dataset(recipe.clips.name)
    found = [{"name": known.title, "licence": known.licence, "citation": known.citation}]
    if composed:
        found = [_of_composed(composed)]
    network = recipe.network
    started = [network.initial] if network.video != NOTHING and network.initial != "random" else []
    started += [network.audio] if network.audio.startswith("speech:") else []
    terms = {"licence": "that of the weights and of their data", "citation": "see there"}
    return [*found, *({"name": f"initial weights: {name}", **terms} for name in started)]


def _of_composed(sets: str) -> dict[str, str]:
    """The terms are those of the sets whose sound and faces they are."""
    return {
        "name": "Composed clips",
        "role": meaning(sets),
        "licence": f"that of {sets}, both",
        "citation": "Cite both: affekt data info NAME.",
        "composed": sets,
    }
