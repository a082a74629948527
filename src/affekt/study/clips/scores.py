"""Scores: the test predictions of every run of a study of clips, checked against their hash, in one order of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.study.clips.given import names_of
from affekt.study.clips.records import LOGS, Arrays, read_test
from affekt.study.folder import RunFolder
from affekt.study.results import Record, check_unaltered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(kw_only=True)
class ClipScores:
    """What all runs said of the same N test clips.

    Attributes:
        ids, speakers: ``(N,)`` strings.
        labels: task -> ``(N,)``, -1 for unknown.
        classes: task -> names.
        runs: condition -> seed -> task -> ``(N, K)`` log-probabilities.
        given: condition -> seed -> what alone was given -> task -> the same, where a run was tested so.
    """

    ids: NDArray[np.str_]
    speakers: NDArray[np.str_]
    labels: Mapping[str, Ints]
    classes: dict[str, list[str]] = field(default_factory=dict)
    runs: dict[str, dict[int, dict[str, Floats]]] = field(default_factory=dict)
    given: dict[str, dict[int, dict[str, dict[str, Floats]]]] = field(default_factory=dict)

    def of_task(self, task: str) -> dict[str, dict[int, Floats]]:
        """Condition -> seed -> ``(n, K)`` log-probabilities of the clips whose label of this task is known."""
        known = self.labels[task] >= 0
        found = {
            name: {seed: run[task][known] for seed, run in sorted(runs.items()) if task in run}
            for name, runs in self.runs.items()
        }
        return {name: runs for name, runs in found.items() if runs}


def read_clip_scores(study: Path, records: Sequence[Record]) -> ClipScores | None:
    """Read the predictions of finished runs; None where there are none.

    Raises:
        AffektError: predictions that were altered since the run was finished, or runs of other test clips.
    """
    scores: ClipScores | None = None
    for record in records:
        folder = study / record["folder"]
        arrays = read_arrays(folder, record["predictions"])
        labels = {k.removeprefix("label/"): v for k, v in arrays.items() if k.startswith("label/")}
        if scores is None:
            scores = ClipScores(ids=arrays["ids"], speakers=arrays["groups"], labels=labels)
        _check_same(scores, arrays, labels, folder)
        scores.classes |= (RunFolder(folder).result() or {})["tasks"]
        logs = {k.removesuffix(LOGS): v.astype(np.float64) for k, v in arrays.items() if k.endswith(LOGS)}
        scores.runs.setdefault(record["condition"], {})[int(record["seed"])] = logs
        for name, word, task in names_of(list(arrays)):
            given = scores.given.setdefault(record["condition"], {}).setdefault(int(record["seed"]), {})
            given.setdefault(word, {})[task] = arrays[name].astype(np.float64)
    return scores


def read_arrays(run: Path, digest: str) -> Arrays:
    """The test part of a run's predictions, in the order of the clips' names.

    Raises:
        AffektError: they are not those of ``digest``, or of no test split.
    """
    path = RunFolder(run).predictions
    check_unaltered(path, digest)
    arrays = read_test(path)
    if "ids" not in arrays:
        raise AffektError(f"{path}: no test clips in it; a study needs a test split, e.g. [clips] test = 0.2")
    order = np.argsort(arrays["ids"])
    return {name: values[order] for name, values in arrays.items()}


def _check_same(
    scores: ClipScores, arrays: Mapping[str, NDArray[Any]], labels: Mapping[str, NDArray[Any]], folder: Path
) -> None:
    same = np.array_equal(scores.ids, arrays["ids"]) and scores.labels.keys() == labels.keys()
    if not same or not all(np.array_equal(values, labels[task]) for task, values in scores.labels.items()):
        raise AffektError(
            f"{folder}: tested on other clips or labels than the study's first run; all must share them "
            "([clips] tasks, emotions and the split must be the same; what is learned is [network] tasks)"
        )
