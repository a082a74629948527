"""Pictures named on the command line: files, folders, a list on stdin; decoded ahead, the undecodable kept apart."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.errors import DataError

if TYPE_CHECKING:
    from affekt.data.pictures import Fit, Pixels

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
"""What counts as a picture in a folder; a file that is named itself may end in anything."""


@dataclass(frozen=True)
class Picture:
    """A named picture: its ``(S, S, 3)`` uint8 pixels, or why there are none."""

    path: str
    pixels: Pixels | None = None
    error: str = ""


def named(arguments: Iterable[str], *, recursive: bool) -> Iterator[Picture | str]:
    """Paths in the order given: ``-`` is replaced by the lines of stdin, a folder by its pictures in order of name.

    A folder without a picture comes as a :class:`Picture` with its error, so that the rest goes on.
    """
    for argument in arguments:
        if argument == "-":
            given = False
            for line in sys.stdin:
                if path := line.strip():
                    given = True
                    yield from named([path], recursive=recursive)
            if not given:
                yield Picture("-", error="-: no path on standard input; give one a line")
        elif Path(argument).is_dir():
            yield from _in_folder(Path(argument), recursive)
        else:
            yield argument


def _in_folder(folder: Path, recursive: bool) -> Iterator[Picture | str]:
    inside = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(str(p) for p in inside if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        deeper = "" if recursive else "; --recursive looks in its folders too"
        yield Picture(str(folder), error=f"{folder}: no picture in this folder{deeper}")
    yield from found


def batches(items: Iterable[Picture | str], *, image_size: int, fit: Fit, size: int) -> Iterator[list[Picture]]:
    """Decoded pictures, ``size`` at a time; the next batch is decoded while the caller works on this one."""
    iterator = iter(items)
    with ThreadPoolExecutor() as pool:

        def start() -> list[Future[Picture]]:
            chosen = itertools.islice(iterator, size)
            return [pool.submit(_decode, item, image_size, fit) for item in chosen]

        waiting = start()
        while waiting:
            current, waiting = waiting, start()
            yield [future.result() for future in current]


def _decode(item: Picture | str, image_size: int, fit: Fit) -> Picture:
    from affekt.data.pictures import read_picture

    if isinstance(item, Picture):
        return item
    try:
        return Picture(item, pixels=read_picture(item, image_size=image_size, fit=fit))
    except DataError as error:
        return Picture(item, error=str(error))
