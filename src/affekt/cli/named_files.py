"""Files named on the command line: as they are, all of a folder that end in the right way, or a list on stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unread:
    """A named thing that is no file, and why."""

    path: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is looked for.

    Attributes:
        noun: what messages call one.
        suffixes: what counts as one in a folder; a file that is named itself may end in anything.
    """

    noun: str
    suffixes: tuple[str, ...]


PICTURES = Kind(
    noun="picture",
    suffixes=(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"),
)
CLIPS = Kind(
    noun="sound or film",
    suffixes=(
        *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"),
        *(".mp4", ".avi", ".flv", ".mkv", ".mov", ".webm", ".m4v", ".mpg"),
    ),
)


def named(arguments: Iterable[str], kind: Kind, *, recursive: bool) -> Iterator[Unread | str]:
    """Paths in the order given: ``-`` is replaced by the lines of stdin, a folder by its files in order of name.

    A folder without any comes as an :class:`Unread`, so that the rest goes on.
    """
    for argument in arguments:
        if argument == "-":
            given = False
            for line in sys.stdin:
                if path := line.strip():
                    given = True
                    yield from named([path], kind, recursive=recursive)
            if not given:
                yield Unread("-", error="-: no path on standard input; give one a line")
        elif Path(argument).is_dir():
            yield from _in_folder(Path(argument), kind, recursive)
        else:
            yield argument


def _in_folder(folder: Path, kind: Kind, recursive: bool) -> Iterator[Unread | str]:
    inside = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(str(p) for p in inside if p.suffix.lower() in kind.suffixes and p.is_file())
    if not found:
        deeper = "" if recursive else "; --recursive looks in its folders too"
        yield Unread(str(folder), error=f"{folder}: no {kind.noun} in this folder{deeper}")
    yield from found


def is_of(path: str, kind: Kind) -> bool:
    """By its suffix."""
    return Path(path).suffix.lower() in kind.suffixes
