"""Scores: what every run of a study got right, item by item, with its predictions checked against their hash.

A run's file holds its predictions, or, where the study comes out of an archive, what its scores were
(:func:`scored_arrays`), its items being those of the study's ``items.npz``.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError, DataError
from affekt.study.results import Record, check_unaltered
from affekt.study.statistics.calibration import calibration_error, class_accuracy, item_brier, item_nll

Floats = NDArray[np.float64]
PERMUTED = " (e permuted in test)"
"""Added to a condition's name where its runs are scored with other pictures' affect states."""

ITEMS = "items.npz"
ARCHIVED = "items"
"""In a run's file, of a study out of an archive: the digest of the study's items."""

ANSWERS = "answers/log_probabilities"
"""In a run's file of an archive that keeps them."""

NUMBERS = ("nll", "brier", "ece", "ece_bias")


@dataclass(frozen=True, kw_only=True)
class RunScores:
    """One run on the N test items with a class.

    Attributes:
        correct: ``(N,)``; accuracy of an item is 1 or 0, or a mean over permutations.
        nll, brier: means over the items.
        ece, ece_bias: calibration error, and what a calibrated network would get.
        class_accuracy: ``(K,)``.
        of_one_network: not where scores are means over permutations of the affect states.
        item_nll: ``(N,)``; None of a run out of an archive.
        permuted_correct: ``(N,)`` with other pictures' affect states; None where r does not depend on affect.
        regulation, agreement, branches: of a regulated run; else None.
    """

    correct: Floats
    nll: float
    brier: float
    ece: float
    ece_bias: float
    class_accuracy: Floats
    item_nll: Floats | None = None
    permuted_correct: Floats | None = None
    of_one_network: bool = True
    regulation: Floats | None = None
    agreement: float | None = None
    branches: Mapping[str, Mapping[str, float | None]] | None = None


@dataclass(frozen=True, kw_only=True)
class Items:
    """The N test items of a study that have a class.

    Attributes:
        ids, groups: ``(N,)`` strings.
        category: ``(N,)``.
    """

    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    category: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """SHA-256 of all three."""
        lines = zip(self.ids.tolist(), self.groups.tolist(), self.category.tolist(), strict=True)
        return hashlib.sha256(json.dumps(list(lines)).encode()).hexdigest()


def read_items(path: Path) -> Items:
    """
    Raises:
        AffektError: no such file, or a damaged one.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            return Items(ids=found["ids"], groups=found["groups"], category=found["category"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AffektError(f"{path}: cannot be read ({error}); unpack the archive of this study again") from None


def read_answers(study: Path, path: Path) -> tuple[NDArray[np.str_], NDArray[np.int64], Floats]:
    """Of a run's file: ids and classes of the N test items with a class, and ``(N, K)`` log-probabilities.

    Raises:
        DataError: an archive left them out.
        AffektError: items that are not the study's.
    """
    with np.load(path, allow_pickle=False) as found:
        if "test/log_probabilities" in found:
            known = found["test/label/category"] >= 0
            ids, category, logs = (found[f"test/{n}"][known] for n in ("ids", "label/category", "log_probabilities"))
            return ids, category, logs.astype(np.float64)
        if ANSWERS in found:
            items = _own_items(study, path, str(found[ARCHIVED]))
            return items.ids, items.category, found[ANSWERS].astype(np.float64)
    raise DataError(
        f"{path}: what was said of each picture is not in it (a study out of an archive; "
        "affekt report STUDY --archive FILE --answers keeps it)"
    )


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
        check_unaltered(path, record["predictions"])
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        items, run = _archived(study, path, arrays, record) if ARCHIVED in arrays else _predicted(arrays, record)
        if scores is None:
            scores = Scores(ids=items.ids, groups=items.groups, category=items.category)
        elif not np.array_equal(scores.ids, items.ids):
            raise AffektError(f"{path}: of other test pictures than the study's first run; all must share them")
        scores.runs.setdefault(record["condition"], {})[int(record["seed"])] = run
    return scores


def _predicted(everything: Mapping[str, NDArray[Any]], record: Record) -> tuple[Items, RunScores]:
    """Test items with a class, and what a run's predictions of them score."""
    arrays = {name.removeprefix("test/"): values for name, values in everything.items() if name.startswith("test/")}
    known = arrays["label/category"] >= 0
    arrays = {name: values[known] for name, values in arrays.items()}
    items = Items(ids=arrays["ids"], groups=arrays["groups"], category=arrays["label/category"])
    return items, _scored(arrays, record)


def _archived(study: Path, path: Path, arrays: Mapping[str, NDArray[Any]], record: Record) -> tuple[Items, RunScores]:
    items = _own_items(study, path, str(arrays[ARCHIVED]))
    held = {name.removeprefix("scores/"): values for name, values in arrays.items() if name.startswith("scores/")}
    correct = held["correct"]
    if correct.dtype == np.uint8:
        correct = np.unpackbits(correct, count=len(items.ids))
    nll, brier, ece, bias = (float(held[name]) for name in NUMBERS)
    return items, RunScores(
        correct=correct.astype(np.float64),
        nll=nll,
        brier=brier,
        ece=ece,
        ece_bias=bias,
        class_accuracy=held["class_accuracy"],
        permuted_correct=held.get("permuted_correct"),
        of_one_network=bool(held["of_one_network"]),
        agreement=float(held["agreement"]) if "agreement" in held else None,
        branches=_branches(record),
    )


def _own_items(study: Path, path: Path, digest: str) -> Items:
    items = read_items(study / ITEMS)
    if items.digest != digest:
        raise AffektError(f"{path}: its items are not those of {ITEMS}, which was altered; unpack the archive again")
    return items


def scored_arrays(run: RunScores) -> dict[str, NDArray[Any]]:
    """What an archive keeps of a run, as :func:`read_scores` reads it; right and wrong answers are a bit each."""
    binary = bool(np.isin(run.correct, (0.0, 1.0)).all())
    found: dict[str, Any] = {name: np.float64(getattr(run, name)) for name in NUMBERS}
    found["correct"] = np.packbits(run.correct.astype(np.uint8)) if binary else run.correct
    found |= {"class_accuracy": run.class_accuracy, "of_one_network": np.bool_(run.of_one_network)}
    found |= {name: value for name in ("permuted_correct", "agreement") if (value := getattr(run, name)) is not None}
    return {f"scores/{name}": np.asarray(value) for name, value in found.items()}


def _scored(arrays: Mapping[str, NDArray[Any]], record: Record) -> RunScores:
    logs, labels = arrays["log_probabilities"].astype(np.float64), arrays["label/category"]
    permuted = arrays.get("permuted_correct")
    own = (logs.argmax(axis=1) == labels).astype(np.float64)
    # A condition that permutes affect is scored over all its permutations, not over the one that stands in its files.
    always = permuted is not None and bool(record.get("permuted"))
    each = arrays["permuted_nll"] if always else item_nll(logs, labels)
    ece, bias = calibration_error(logs, labels)
    return RunScores(
        correct=permuted if always and permuted is not None else own,
        nll=float(each.mean()),
        brier=float(item_brier(logs, labels).mean()),
        ece=ece,
        ece_bias=bias,
        class_accuracy=class_accuracy(logs, labels),
        item_nll=each,
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
