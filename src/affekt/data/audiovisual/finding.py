"""Finding: what a reader says of a set before anything is decoded, and the files of a folder by their names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from affekt.affect import RatingScale
from affekt.data.audiovisual.media import ClipSource
from affekt.data.stimuli import Floats32
from affekt.errors import DataError, first

AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac")
VIDEO = (".mp4", ".avi", ".flv", ".mkv", ".mov", ".webm", ".m4v", ".mpg")


@dataclass(frozen=True, kw_only=True)
class Found:
    """N clips as a reader finds them: every label that the set has, nothing chosen yet.

    Attributes:
        sources: where each is; its name is the clip's id.
        speakers: who speaks.
        labels: task -> N words; ``""`` where it is not known.
        columns: further words: ``session``, ``text`` ...
        ratings: dimension -> ``(N,)`` float32, NaN where not rated.
        scale: of the ratings.
        split: N of ``train``, ``validation``, ``test`` or ``""``; None where the set fixes none.
        notes: what the log says once.
        composed: of films that are composed, the sets that sound and faces are of; ``""``: they are recordings.
    """

    sources: Sequence[ClipSource]
    speakers: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ratings: Mapping[str, Floats32] = field(default_factory=dict)
    scale: RatingScale | None = None
    split: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    composed: str = ""


def files_below(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """Every file with one of the suffixes in a folder and the folders in it, hidden ones left out, sorted."""
    wanted = frozenset(suffixes)
    found: list[Path] = []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in wanted  # noqa: PTH122 - of many names
        ]
    return sorted(found)


def by_stem(paths: Iterable[Path], preferred: Sequence[str]) -> dict[str, Path]:
    """Name without suffix -> file; of several suffixes the one that stands first in ``preferred``."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.get(path.stem)
        if other is None or _rank(path, preferred) < _rank(other, preferred):
            found[path.stem] = path
    return found


def _rank(path: Path, preferred: Sequence[str]) -> int:
    return preferred.index(path.suffix.lower())


def none_named_so(name: str, root: Path, example: str, strange: Sequence[Path]) -> DataError:
    """The error for a folder in which no file has a name of the set's form."""
    seen = f"; found {first([path.name for path in strange])}" if strange else ""
    return DataError(f"{name}: no file named like {example} in {root}{seen}")


def strangers(name: str, strange: Sequence[Path]) -> tuple[str, ...]:
    """A note on files whose names are not of the set's form."""
    if not strange:
        return ()
    listed = first([path.name for path in strange], n=3)
    return (f"{name}: {len(strange)} file(s) with other names left alone: {listed}",)
