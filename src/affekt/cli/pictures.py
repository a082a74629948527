"""Pictures named on the command line: decoded ahead, the undecodable kept apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from affekt.cli import named_files
from affekt.cli.named_files import CLIPS, PICTURES, Unread, is_of
from affekt.errors import DataError

if TYPE_CHECKING:
    from affekt.data.pictures import Fit, Pixels


@dataclass(frozen=True)
class Picture:
    """A named picture: its ``(S, S, 3)`` uint8 pixels, or why there are none."""

    path: str
    pixels: Pixels | None = None
    error: str = ""


def named(arguments: Iterable[str], *, recursive: bool) -> Iterator[Unread | str]:
    """Paths of pictures: see :func:`affekt.cli.named_files.named`."""
    return named_files.named(arguments, PICTURES, recursive=recursive)


def batches(items: Iterable[Unread | str], *, image_size: int, fit: Fit, size: int) -> Iterator[list[Picture]]:
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


def _decode(item: Unread | str, image_size: int, fit: Fit) -> Picture:
    from affekt.data.pictures import read_picture

    if isinstance(item, Unread):
        return Picture(item.path, error=item.error)
    try:
        return Picture(item, pixels=read_picture(item, image_size=image_size, fit=fit))
    except DataError as error:
        why = f"{item}: {CLIPS.noun}; this model looks at pictures. One that hears and sees is an AudioVisualNetwork"
        return Picture(item, error=why if is_of(item, CLIPS) else str(error))
