"""Video: faces of a stretch of a file at the frame rate asked for, each picture at the time at which it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from affekt.data.audiovisual.clips import Pixels
from affekt.data.audiovisual.containers import declared_seconds, decoded, open_container, origin, picture_track
from affekt.data.audiovisual.endings import ends_early, ends_in_the_middle
from affekt.data.audiovisual.faces import Box, ByRule, Cropper
from affekt.data.audiovisual.sound import stretch_end
from affekt.data.audiovisual.timeline import frames_in
from affekt.errors import DataError, UsageError

_SHORT = 0.2  # seconds by which pictures may end before what was asked for without a word
_EXACT = 1e-6  # seconds: time stamps are fractions, and the middle of a frame may be one of them


@dataclass(frozen=True, kw_only=True)
class Faces:
    """What was read.

    Attributes:
        pictures: ``(T, 3, S, S)`` uint8 RGB.
        notes: what is out of the ordinary, a line each: a frame rate that does not divide, pictures that end early.
        cut: whether there was more than the limit.
    """

    pictures: Pixels
    notes: tuple[str, ...] = ()
    cut: bool = False


def read_frames(
    path: str | Path,
    fps: float = 25.0,
    size: int = 96,
    *,
    start: float = 0.0,
    end: float | None = None,
    crop: Cropper | None = None,
) -> Pixels:
    """``(T, 3, S, S)`` uint8 RGB: the pictures of a file, or of its seconds ``start`` to ``end``, at ``fps``.

    Picture k is what the file shows at ``start + (k + 1/2) / fps``, the middle of its frame: of a file at another rate
    pictures are left out or shown twice, none is blended. Upright; crops are resized with antialiasing.

    Args:
        crop: which square is kept; None: the centred one.

    Raises:
        DataError: missing, damaged, ends in the middle, no video track, or no picture in the stretch.
        UsageError: ``end`` before ``start``, no picture a second, pictures without a side.
        MissingExtra: av is not installed.
    """
    return decode_faces(Path(path), fps, size, start=start, end=end, crop=crop).pictures


def decode_faces(
    path: Path,
    fps: float,
    size: int,
    *,
    start: float = 0.0,
    end: float | None = None,
    limit: float | None = None,
    count: int | None = None,
    crop: Cropper | None = None,
) -> Faces:
    """As :func:`read_frames`, with what is out of the ordinary.

    Args:
        limit: seconds that are read at most; a file may well be shorter.
        count: T, where the sound beside it says so; the last picture is kept where the file has fewer.
    """
    if not 0 < fps < math.inf or size < 1:
        raise UsageError(f"fps = {fps}, size = {size}: write numbers above 0, e.g. fps = 25, size = 96")
    stop = stretch_end(path, start, end, limit)
    crop = crop or ByRule()
    with open_container(path) as container:
        reading = FaceReading(path, container, fps, size, start, crop)
        if count is not None or end is not None:
            wanted = count if count is not None else frames_in((stop or 0.0) - start, fps)
            pictures = reading.exactly(wanted)
        else:
            pictures = reading.at_most(None if limit is None else frames_in(limit, fps))
        length = (reading.seconds if end is None else end) or 0.0
    notes = (*reading.notes, *(f"{path}: {note}" for note in crop.notes))
    cut = limit is not None and length - start > limit + 0.5 / fps
    return Faces(pictures=np.stack(pictures), notes=notes, cut=cut)


def video_seconds(path: Path) -> float:
    """The length of a file's pictures by its header, or by counting them where the header says nothing reliable.

    Raises:
        DataError: as :func:`read_frames`.
    """
    with open_container(path) as container:
        stream = picture_track(path, container)
        seconds, _ = declared_seconds(path, container, stream)
        if seconds is not None:
            return seconds
        rate = float(stream.average_rate or 25)
        return sum(1 for _ in decoded(container, stream, 0.0)) / rate


class FaceReading:
    """One pass over the pictures of a stretch."""

    def __init__(self, path: Path, container: Any, fps: float, size: int, start: float, crop: Cropper) -> None:
        self.path, self.container, self.fps, self.size, self.start, self.crop = path, container, fps, size, start, crop
        self.stream = picture_track(path, container)
        self.seconds, self._slack = declared_seconds(path, container, self.stream)
        self.notes: tuple[str, ...] = self._rate_note()
        self._end = start

    def exactly(self, wanted: int) -> list[Pixels]:
        """``wanted`` pictures, the last one repeated where the file ends before.

        Raises:
            DataError: no picture, or the file ends in the middle.
        """
        found = self.at_most(wanted)
        short = (wanted - len(found)) / self.fps
        if short > _SHORT:
            self.notes = (*self.notes, f"{self.path}: pictures end {short:.2f} s early; the last one is kept")
        return found + [found[-1]] * (wanted - len(found))

    def at_most(self, wanted: int | None) -> list[Pixels]:
        """As :meth:`each`, at once."""
        return list(self.each(wanted))

    def each(self, wanted: int | None = None) -> Iterator[Pixels]:
        """One picture a frame of the timeline, to the end of the file or to ``wanted``; ``(3, S, S)`` uint8.

        Raises:
            DataError: no picture, or the file ends in the middle.
        """
        done = 0
        for frame, shown, gone in self._intervals():
            self._end = gone
            number = self._due(done, gone, wanted)
            if number:
                yield from [self._picture(frame, max(shown, self.start))] * number
            done += number
            if done == wanted:
                return
        self._check_end(wanted)
        if not done:
            raise DataError(f"{self.path}: no picture" + (f" after {self.start:.2f} s" if self.start else " in it"))

    def _due(self, done: int, gone: float, wanted: int | None) -> int:
        """How many frames of the timeline, after the ``done`` ones, have their middle before ``gone``."""
        number = 0
        while (wanted is None or done + number < wanted) and self._time(done + number) < gone - _EXACT:
            number += 1
        return number

    def _time(self, number: int) -> float:
        """The middle of a frame of the timeline, seconds in the file."""
        return self.start + (number + 0.5) / self.fps

    def _intervals(self) -> Iterator[tuple[Any, float, float]]:
        """``(frame, from, to)``: each coded picture with the seconds during which it is shown."""
        begins = origin(self.container)
        step = 1 / float(self.stream.average_rate) if self.stream.average_rate else 1 / self.fps
        before: Any = None
        shown = 0.0
        for number, frame in enumerate(decoded(self.container, self.stream, self.start)):
            time = number * step if frame.time is None else frame.time - begins
            if before is not None and time > shown:
                yield before, shown, time
            if before is None or time >= shown:
                before, shown = frame, time
        if before is not None:
            lasts = getattr(before, "duration", None)
            yield before, shown, shown + (float(lasts * before.time_base) if lasts and before.time_base else step)

    def _picture(self, frame: Any, seconds: float) -> Pixels:
        """``(3, S, S)`` uint8."""
        turns = round(frame.rotation / 90) % 4
        pixels: Pixels = frame.to_ndarray(format="rgb24")
        pixels = np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
        try:
            return _resized(pixels, self.crop(pixels, seconds), self.size)
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from None

    def _rate_note(self) -> tuple[str, ...]:
        rate = self.stream.average_rate
        if not rate or abs(float(rate) / self.fps - round(float(rate) / self.fps)) < 1e-6:
            return ()
        return (f"{self.path}: {float(rate):.6g} pictures a second, shown at {self.fps:g} by the nearest in time",)

    def _check_end(self, wanted: int | None) -> None:
        """
        Raises:
            DataError: the pictures end before what the header says and was asked for.
        """
        if self.seconds is None:
            return
        asked = self.seconds if wanted is None else min(self.seconds, self.start + wanted / self.fps)
        if self._end < asked - self._slack:
            raise ends_in_the_middle(self.path, self._end, self.seconds)
        self.notes = (*self.notes, *ends_early(self.path, self._end, asked))


def _resized(pixels: Pixels, box: Box, size: int) -> Pixels:
    """``(H, W, 3)`` -> ``(3, S, S)``: a box, bilinear, antialiased."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    inside = (max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom))
    face = Image.fromarray(pixels)
    if inside != (0.0, 0.0, float(size), float(size)) or (width, height) != (size, size):
        face = face.resize((size, size), Image.Resampling.BILINEAR, box=inside)
    return np.asarray(face).transpose(2, 0, 1)
