"""CIFAR-10H: some fifty people's votes on each of the 10,000 test pictures of CIFAR-10 (Peterson et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from affekt.affect import majority
from affekt.data.targets.cifar import CLASSES_10
from affekt.errors import DataError
from affekt.humans.people.known import Ints, Options, Votes

OPTIONS: Mapping[str, str] = {}
ORDER = (
    "its rows are in the order of CIFAR-10's test batch, ids test/00000 to test/09999 as the published archives are "
    "read; a copy of CIFAR-10 as folders of JPEG files has another order and other ids, and cannot be joined"
)

_FILE = "cifar10h-counts.npy"
_LICENCE = "CC BY-NC-SA 4.0"
_FIRST = (3, 8, 8, 0, 6, 6, 1, 6, 3, 1)
"""Classes of the first ten pictures of the test batch: by them another order of rows is found out."""


def read(folder: Path, _options: Options) -> Votes:
    """Votes on the test pictures in the order of the test batch.

    Raises:
        DataError: no file, another shape, numbers that are no counts, rows in another order.
    """
    votes = _counts(_file(folder))
    ids = np.array([f"test/{n:05d}" for n in range(len(votes))])
    return Votes(
        name="cifar10h",
        licence=_LICENCE,
        notes=(f"CIFAR-10H: {ORDER}",),
        ids=ids,
        groups=ids,
        categories=CLASSES_10,
        votes=votes,
        advice=f"CIFAR-10H: {ORDER}",
    )


def _file(folder: Path) -> Path:
    """
    Raises:
        DataError: none of the places has it.
    """
    places = (folder, folder / "data", folder.parent / "cifar10")
    found = next((place / _FILE for place in places if (place / _FILE).is_file()), None)
    if found is None:
        raise DataError(
            f"cifar10h: no {_FILE} in {folder} (nor in {folder.parent / 'cifar10'}); get it from "
            "https://github.com/jcpeterson/cifar-10h (folder data; the shares in cifar10h-probs.npy are not enough)"
        )
    return found


def _counts(path: Path) -> Ints:
    try:
        counts = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(
            f"{path.name}: not readable as a plain .npy array ({' '.join(str(error).split())[:80]})"
        ) from None
    if not isinstance(counts, np.ndarray) or counts.shape != (10_000, 10):
        shape = counts.shape if isinstance(counts, np.ndarray) else "several arrays"
        raise DataError(f"{path.name}: {shape} where (10000, 10) counts are asked")
    if counts.dtype.kind not in "iuf" or (counts < 0).any() or (counts != np.floor(counts)).any():
        raise DataError(f"{path.name}: numbers that are no counts; {_FILE} is asked, not shares")
    agreed = int((majority(counts[:10]) == _FIRST).sum())
    if agreed < 7:
        raise DataError(
            f"{path.name}: people's first choice is CIFAR-10's class in {agreed} of its first ten rows; they or the "
            "columns are in another order than the test batch: use the published file"
        )
    return counts.astype(np.int64)
