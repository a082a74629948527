"""Scores: what every run of a study got right, item by item, with its predictions checked against their hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.study.results import Record, hash_of
from affekt.study.statistics.calibration import calibration_error, class_accuracy, item_brier, item_nll

Floats = NDArray[np.float64]
PERMUTED = " (e permuted in test)"
"""Added to a condition's name where its runs are scored with other pictures' affect states."""


@dataclass(frozen=True, kw_only=True)
class RunScores:
    """One run on the N test items with a class.

    Attributes:
        correct, nll, brier: ``(N,)``; accuracy of an item is 1 or 0, or a mean over permutations.
        ece, ece_bias: calibration error, and what a calibrated network would get.
        class_accuracy: ``(K,)``.
        of_one_network: not where scores are means over permutations of the affect states.
        permuted_correct: ``(N,)`` with other pictures' affect states; None where r does not depend on affect.
        regulation, agreement, branches: of a regulated run; else None.
    """

    correct: Floats
    nll: Floats
    brier: Floats
    ece: float
    ece_bias: float
    class_accuracy: Floats
    permuted_correct: Floats | None = None
    of_one_network: bool = True
    regulation: Floats | None = None
    agreement: float | None = None
    branches: Mapping[str, Mapping[str, float | None]] | None = None


@dataclass(kw_only=True)
class Scores:
    """All runs that were read: condition -> seed -> scores, on the same items."""

    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    category: NDArray[np.int64]
    runs: dict[str, dict[int, RunScores]] = field(default_factory=dict)


def read_scores(study: Path, records: Sequence[Record]) -> Scores | None:
    """Read the predictions of finished runs, one file at a time; None where there are none.

    Raises:
        AffektError: predictions that were altered since the run was finished, or runs of other test items.
    """
    scores: Scores | None = None
    for record in records:
        path = study / record["folder"] / "predictions.npz"
        if hash_of(path) != record["predictions"]:
            raise AffektError(
                f"{path}: altered since the run was finished (its hash differs from that in results.jsonl); delete the "
                "folder of that run, and the study trains it anew"
            )
        with np.load(path, allow_pickle=False) as found:
            arrays = {name.removeprefix("test/"): found[name] for name in found.files if name.startswith("test/")}
        known = arrays["label/category"] >= 0
        arrays = {name: values[known] for name, values in arrays.items()}
        if scores is None:
            scores = Scores(ids=arrays["ids"], groups=arrays["groups"], category=arrays["label/category"])
        elif not np.array_equal(scores.ids, arrays["ids"]):
            raise AffektError(f"{path}: of other test pictures than the study's first run; all must share them")
        scores.runs.setdefault(record["condition"], {})[int(record["seed"])] = _scored(arrays, record)
    return scores


def _scored(arrays: Mapping[str, NDArray[Any]], record: Record) -> RunScores:
    logs, labels = arrays["log_probabilities"].astype(np.float64), arrays["label/category"]
    permuted = arrays.get("permuted_correct")
    own = (logs.argmax(axis=1) == labels).astype(np.float64)
    # A condition that permutes affect is scored over all its permutations, not over the one that stands in its files.
    always = permuted is not None and bool(record.get("permuted"))
    ece, bias = calibration_error(logs, labels)
    return RunScores(
        correct=permuted if always and permuted is not None else own,
        nll=arrays["permuted_nll"] if always else item_nll(logs, labels),
        brier=item_brier(logs, labels),
        ece=ece,
        ece_bias=bias,
        class_accuracy=class_accuracy(logs, labels),
        permuted_correct=None if always else permuted,
        of_one_network=not always,
        regulation=None if "regulation" not in arrays else arrays["regulation"].mean(axis=1).astype(np.float64),
        agreement=_agreement(arrays),
        branches=_branches(record),
    )


def _agreement(arrays: Mapping[str, NDArray[Any]]) -> float | None:
    if "non_emotional" not in arrays:
        return None
    return float((arrays["non_emotional"].argmax(axis=1) == arrays["influenced"].argmax(axis=1)).mean())


def _branches(record: Record) -> dict[str, dict[str, float | None]] | None:
    metrics = record["metrics"]
    names = ("non_emotional", "influenced")
    if f"{names[0]}/accuracy" not in metrics["test"]:
        return None
    return {name: {split: values.get(f"{name}/accuracy") for split, values in metrics.items()} for name in names}
