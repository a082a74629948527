"""Sources of sound: what a file says of itself, and its samples from one number to another.

A source knows how much the file declares, so that a file which ends in the middle is told from a short one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from affekt.data.audiovisual.clips import Floats32
from affekt.data.audiovisual.endings import check_file

LIBSNDFILE = frozenset({".wav", ".flac"})
"""Suffixes that soundfile reads; all others go to PyAV."""


class Source(Protocol):
    """An open file with sound.

    Attributes:
        rate: samples a second.
        channels: their number.
        seconds: what the header declares; None where it says nothing that can be relied on.
    """

    rate: int
    channels: int
    seconds: float | None

    def read(self, start: int, stop: int | None) -> Floats32:
        """``(C, n)`` samples from number ``start`` to ``stop`` (None: the end), fewer where the file ends before.

        Raises:
            DataError: damaged, or it ends in the middle.
        """
        ...

    def forward(self) -> Source:
        """The same for one who asks for stretches in the order of their beginnings: each sample is decoded once."""
        ...


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The sound of a file.

    Raises:
        DataError: missing, no sound in it, or no format that can be read.
        MissingExtra: the package that reads it is not installed.
    """
    check_file(path)
    if path.suffix.lower() in LIBSNDFILE:
        from affekt.data.audiovisual.sound_files import open_sound_file

        with open_sound_file(path) as found:
            yield found
    else:
        from affekt.data.audiovisual.containers import open_sound_track

        with open_sound_track(path) as track:
            yield track
