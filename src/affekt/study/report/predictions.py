"""Predictions of a run on the test items, reduced to what figures need; whole arrays live for one run at a time.

A run out of an archive has the reduced numbers (:func:`reduced_arrays`) in place of its predictions.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.study.statistics.calibration import calibration_bins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 40
"""Of the histogram of r over [0, 1]."""

OUTCOMES = ("both", "non-emotional only", "influenced only", "none")


@dataclass(frozen=True, kw_only=True)
class Regulated:
    """What a regulated run did.

    Attributes:
        histogram: ``(BINS,)`` items by r over [0, 1].
        outcomes: ``(4,)`` items whose class both branches, one or none of them named, as in :data:`OUTCOMES`.
        rescued: items of the two in the middle that the mixture got right.
    """

    histogram: Ints
    outcomes: Ints
    rescued: int


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """One run's test predictions.

    Attributes:
        n: items with a known class.
        confidence, accuracy, sizes: of the adaptive bins of calibration.
        regulated: None for a run with one branch.
    """

    n: int
    confidence: Floats
    accuracy: Floats
    sizes: Ints
    regulated: Regulated | None


@dataclass(frozen=True, kw_only=True)
class Detail:
    """A regulated run, item by item.

    Attributes:
        ids: ``(N,)``.
        regulation: ``(N,)`` r; the mean over classes where each has its own.
        affect: ``(N, A)``.
        category: ``(N,)``, -1 for unknown.
    """

    ids: NDArray[np.str_]
    regulation: Floats
    affect: Floats
    category: Ints


def read_predictions(path: Path, *, detail: bool) -> tuple[Reduced, Detail | None]:
    """Read ``predictions.npz`` and reduce it.

    Args:
        detail: also item by item (None for a run with one branch).

    Raises:
        AffektError: the file is missing, damaged, or not what it should be.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if "figures/n" in file:
                return _kept(file), _detail(file, "figures") if detail and "figures/regulation" in file else None
            return _reduced(file), _detail(file, "test") if detail and "test/regulation" in file else None
    except (OSError, KeyError, ValueError, IndexError, EOFError, zipfile.BadZipFile, AffektError) as error:
        raise AffektError(f"{path.name} cannot be read ({type(error).__name__}: {error})") from None


def _reduced(file: Mapping[str, NDArray[np.generic]]) -> Reduced:
    category = np.asarray(file["test/label/category"], dtype=np.int64)
    held = category >= 0
    logs, target = np.asarray(file["test/log_probabilities"], dtype=np.float64)[held], category[held]
    confidence, accuracy, sizes = calibration_bins(logs, target)
    regulated = None
    if "test/regulation" in file:
        predicted = {b: np.asarray(file[f"test/{b}"])[held].argmax(axis=1) for b in ("non_emotional", "influenced")}
        right = {branch: classes == target for branch, classes in predicted.items()}
        split = right["non_emotional"] != right["influenced"]
        kind = 2 * ~right["non_emotional"] + ~right["influenced"]
        regulated = Regulated(
            histogram=np.histogram(_mean(file["test/regulation"]), bins=BINS, range=(0, 1))[0].astype(np.int64),
            outcomes=np.bincount(kind, minlength=4).astype(np.int64),
            rescued=int((logs.argmax(axis=1) == target)[split].sum()),
        )
    return Reduced(n=len(target), confidence=confidence, accuracy=accuracy, sizes=sizes, regulated=regulated)


def _detail(file: Mapping[str, NDArray[np.generic]], part: str) -> Detail:
    return Detail(
        ids=np.asarray(file[f"{part}/ids"]).astype(str),
        regulation=_mean(file[f"{part}/regulation"]),
        affect=np.asarray(file[f"{part}/affect"], dtype=np.float64),
        category=np.asarray(file[f"{part}/label/category"], dtype=np.int64),
    )


def reduced_arrays(reduced: Reduced, detail: Detail | None) -> dict[str, NDArray[np.generic]]:
    """What an archive keeps for the figures, as :func:`read_predictions` reads it; r and e in half precision."""
    found = {name: np.asarray(getattr(reduced, name)) for name in ("n", "confidence", "accuracy", "sizes")}
    if reduced.regulated is not None:
        found |= {name: np.asarray(value) for name, value in vars(reduced.regulated).items()}
    if detail is not None:
        found |= {"ids": detail.ids, "label/category": detail.category.astype(np.int16)}
        found |= {"regulation": detail.regulation.astype(np.float16), "affect": detail.affect.astype(np.float16)}
    return {f"figures/{name}": values for name, values in found.items()}


def _kept(file: Mapping[str, NDArray[np.generic]]) -> Reduced:
    regulated = None
    if "figures/histogram" in file:
        regulated = Regulated(
            histogram=np.asarray(file["figures/histogram"], dtype=np.int64),
            outcomes=np.asarray(file["figures/outcomes"], dtype=np.int64),
            rescued=int(np.asarray(file["figures/rescued"])),
        )
    return Reduced(
        n=int(np.asarray(file["figures/n"])),
        confidence=np.asarray(file["figures/confidence"], dtype=np.float64),
        accuracy=np.asarray(file["figures/accuracy"], dtype=np.float64),
        sizes=np.asarray(file["figures/sizes"], dtype=np.int64),
        regulated=regulated,
    )


def _mean(weights: NDArray[np.generic]) -> Floats:
    return np.asarray(np.asarray(weights, dtype=np.float64).reshape(len(weights), -1).mean(axis=1))
