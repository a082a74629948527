"""Sound files: wav and flac by libsndfile (package soundfile)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.audiovisual.clips import Floats32
from affekt.data.audiovisual.endings import TOLERANCE, ends_in_the_middle, reason
from affekt.errors import DataError, MissingExtra

_STREAMED = (0, 0xFFFFFFFF)  # what a program writes for the size of a wav whose end it did not know


@contextmanager
def open_sound_file(path: Path) -> Iterator[SoundFile]:
    """
    Raises:
        DataError: no sound file, or a wav that is shorter than its header says.
        MissingExtra: no soundfile.
    """
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the package without the C library
        raise MissingExtra("audiovisual", "soundfile") from None
    try:
        file = soundfile.SoundFile(path)
    except soundfile.SoundFileError as error:
        raise DataError(f"{path}: cannot be read as sound ({reason(error)})") from None
    with file:
        yield SoundFile(path, file)


class SoundFile:
    """An open wav or flac; see :class:`~affekt.data.audiovisual.sources.Source`."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path = path
        self.rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.seconds: float | None = file.frames / self.rate
        self._file = file
        self._check_size()

    def read(self, start: int, stop: int | None) -> Floats32:
        total = int(self._file.frames)
        start, stop = min(start, total), total if stop is None else min(stop, total)
        try:
            self._file.seek(start)
            samples: Floats32 = self._file.read(stop - start, dtype="float32", always_2d=True).T
        except RuntimeError as error:  # soundfile's errors are RuntimeErrors
            raise DataError(f"{self.path}: damaged ({reason(error)}); copy it anew") from None
        if samples.shape[1] < stop - start:
            raise ends_in_the_middle(self.path, (start + samples.shape[1]) / self.rate, total / self.rate)
        return np.ascontiguousarray(samples)

    def forward(self) -> SoundFile:
        """Itself: finding a place in it decodes nothing."""
        return self

    def _check_size(self) -> None:
        """libsndfile reads a wav that was cut off as a shorter one: compare with what the header says.

        Raises:
            DataError: it ends in the middle.
        """
        declared = _declared_bytes(self.path)
        if declared is None:
            return
        there, whole = declared
        if there < whole:
            share = there / whole
            found = int(self._file.frames) / self.rate
            if found / max(share, 1e-9) - found > min(TOLERANCE, found / 10):
                raise ends_in_the_middle(self.path, found, found / max(share, 1e-9))


def _declared_bytes(path: Path) -> tuple[int, int] | None:
    """``(there, declared)`` bytes of a wav's samples; None where the file is no plain RIFF wav or does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"data":
                return None if length in _STREAMED else (size - file.tell(), length)
            file.seek(length + length % 2, 1)
    return None
