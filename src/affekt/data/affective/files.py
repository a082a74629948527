"""Which pictures of a set are there: one look at each folder, and one rule for what is missing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affekt.data.stimuli import Ints
from affekt.data.targets.class_folders import SUFFIXES
from affekt.errors import DataError, first
from affekt.recipe import DataSettings


@dataclass(frozen=True, kw_only=True)
class Present:
    """The rows of a set whose picture is there.

    Attributes:
        rows: ``(M,)`` indices of the rows kept, ascending.
        missing: the number of rows left out.
        notes: what the log says of it; empty when nothing is missing.
    """

    rows: Ints
    missing: int
    notes: tuple[str, ...]


def file_names(folder: str | Path) -> frozenset[str]:
    """The names in a folder; none when there is no such folder. One system call a folder, however many files."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def pictures_by_stem(folder: Path) -> dict[str, str]:
    """Name without suffix -> file name, for the pictures in a folder, sorted; of two suffixes the first by alphabet."""
    found: dict[str, str] = {}
    for name in sorted(file_names(folder)):
        stem, dot, suffix = name.rpartition(".")
        if (dot + suffix).lower() in SUFFIXES:
            found.setdefault(stem, name)
    return found


def present(
    name: str, paths: Sequence[Path], shown: Sequence[str], settings: DataSettings, *, tolerated: bool = False
) -> Present:
    """Which of ``paths`` exist.

    Args:
        name: the data set, for messages.
        paths: N picture files.
        shown: N names of them for messages (as the table writes them).
        tolerated: the set is known to ship incomplete: missing files are counted, but no error.

    Raises:
        DataError: pictures are missing and neither ``tolerated`` nor ``settings.allow_missing``; or all are missing.
    """
    folders = {parent: file_names(parent) for parent in {path.parent for path in paths}}
    there = np.fromiter((path.name in folders[path.parent] for path in paths), dtype=bool, count=len(paths))
    absent = np.flatnonzero(~there)
    if not len(absent):
        return Present(rows=np.arange(len(paths)), missing=0, notes=())
    examples = first((shown[i] for i in absent[:5]), total=len(absent))
    if len(absent) == len(paths):
        raise DataError(
            f"{name}: none of its {len(paths)} pictures found (first: {examples}); looked in {_places(folders)}"
        )
    if not (tolerated or settings.allow_missing):
        raise DataError(
            f"{name}: {len(absent)} of {len(paths)} pictures missing (first: {examples}); "
            "add the files, or go on without them: --set affective.allow_missing=true"
        )
    note = f"{len(absent)} of {len(paths)} pictures missing, left out (first: {examples})"
    return Present(rows=np.flatnonzero(there), missing=len(absent), notes=(note,))


def _places(folders: dict[Path, frozenset[str]]) -> str:
    return first(sorted(map(str, folders)), n=2)


def check_unique(where: str, ids: Sequence[str], instead: str = "keep each once") -> None:
    """
    Raises:
        DataError: ids that stand more than once: how many, and the first.
    """
    if len(set(ids)) < len(ids):
        twice = [name for name, times in Counter(ids).items() if times > 1]
        raise DataError(f"{where}: {len(twice)} picture(s) stand more than once: {first(twice)}; {instead}")
