"""Streaming: the windows of a file from its beginning to its end, decoded once; memory holds a window, not the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affekt.data.audiovisual.channels import Channel
from affekt.data.audiovisual.clips import Floats32, Pixels
from affekt.data.audiovisual.containers import is_cover, open_container
from affekt.data.audiovisual.endings import check_file, ends_early, short
from affekt.data.audiovisual.faces import Cropper, by_rule
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.sound import checked, is_silent, silence, span, unusual
from affekt.data.audiovisual.sources import LIBSNDFILE, Source, open_source
from affekt.data.audiovisual.timeline import frames_in, whole_frames
from affekt.data.audiovisual.video import FaceReading
from affekt.errors import DataError, UsageError

STILL = frozenset({"image2", "gif", "apng", "webp_pipe", "png_pipe", "jpeg_pipe", "bmp_pipe", "tiff_pipe", "webp"})
"""FFmpeg's formats of pictures that stand still, or nearly so."""

_SHORT = 0.2  # seconds by which pictures may end before the sound without a word


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """What a file holds."""

    sound: bool
    pictures: bool


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of a file, T frames long.

    Attributes:
        start, end: seconds in the file.
        audio: ``(T * rate / fps,)`` float32 mono in [-1, 1], zeros after the end of the sound; None: not asked for.
        faces: ``(T, 3, S, S)`` uint8 RGB; None: not asked for, or the pictures have ended before.
    """

    start: float
    end: float
    audio: Floats32 | None = None
    faces: Pixels | None = None


def tracks_of(path: Path) -> Tracks:
    """Which tracks a file has; nothing of them is decoded.

    Raises:
        DataError: missing, no sound or moving pictures in it, or nothing that can be opened.
        MissingExtra: av is not installed.
    """
    check_file(path, of_bytes=False)
    if path.suffix.lower() in LIBSNDFILE:
        return Tracks(sound=True, pictures=False)
    with open_container(path) as container:
        if STILL & set(container.format.name.split(",")):
            raise DataError(f"{path}: a picture; sound or moving pictures are asked: wav, flac, mp3, mp4, avi ...")
        found = Tracks(sound=bool(container.streams.audio), pictures=not all(map(is_cover, container.streams.video)))
    if not (found.sound or found.pictures):
        raise DataError(f"{path}: no audio track and no video track")
    return found


def window_and_hop(reading: Reading, hop: float | None = None) -> tuple[int, int]:
    """Frames of a window, and from one window to the next; ``hop`` in seconds, None: the window.

    Raises:
        UsageError: no window, or a hop that is no whole number of pictures or leaves gaps.
    """
    if reading.window is None:
        raise UsageError("window: how long? write e.g. window = 6")
    window = whole_frames("window", reading.window, reading.fps)
    hop = reading.window if hop is None else hop
    if not 0 < hop <= reading.window:
        raise UsageError(f"hop = {hop:g} s: write a number above 0, at most window = {reading.window:g} s")
    return window, whole_frames("hop", hop, reading.fps)


class WindowStream:
    """The windows of a file, in order: one every ``hop`` seconds until the end is reached, where the last is cut off.

    Sound says how long the file is, where it is read; a window without any picture has ``faces = None``. A rest behind
    the last window that is shorter than a frame is no window.

    Args:
        path: the file.
        reading: features (``audio``, ``faces``), rates, size and ``window``.
        hop: seconds; None: the window.
        crop: which square of a picture is kept; None: by ``reading``'s rule.
        channel: how channels become one.

    Attributes:
        notes: what was out of the ordinary, a line each; complete after the last window.

    Raises:
        UsageError: no window, or a hop that is no whole number of pictures or leaves gaps.
    """

    def __init__(
        self,
        path: Path,
        reading: Reading,
        *,
        hop: float | None = None,
        crop: Cropper | None = None,
        channel: Channel = "mean",
    ) -> None:
        self.window, self.hop = window_and_hop(reading, hop)
        self.path, self.reading, self.channel = path, reading, channel
        self.crop = crop or by_rule(reading)
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Window]:
        """
        Raises:
            DataError: as ``read_audio`` and ``read_frames`` of this room; perhaps after some windows, since a file that
                ends in the middle may show it there only.
        """
        self.notes = ()
        with ExitStack() as stack:
            sound = stack.enter_context(_open_sound(self)) if self.reading.hears else None
            faces = stack.enter_context(_open_faces(self)) if self.reading.sees else None
            first, more = 0, True
            while more:
                window, more = _window(self, first, sound, faces)
                yield window
                first += self.hop
            for part in (sound, faces):
                self.notes += () if part is None else part.notes()


def _window(stream: WindowStream, first: int, sound: _Sound | None, faces: _Faces | None) -> tuple[Window, bool]:
    """The window that begins with frame ``first``, and whether another one follows."""
    reading = stream.reading
    start = first / reading.fps
    if sound is None:
        assert faces is not None
        pictures, more = faces.at(first, stream.window)
        return Window(start=start, end=start + len(pictures) / reading.fps, faces=_stacked(pictures)), more
    samples, more = sound.at(first, stream.window)
    count = frames_in(len(samples) / reading.rate, reading.fps)
    audio = np.pad(samples, (0, count * reading.samples - len(samples)))
    seen = None if faces is None else _stacked(faces.beside(first, count))
    return Window(start=start, end=start + len(samples) / reading.rate, audio=audio, faces=seen), more


def _stacked(pictures: list[Pixels]) -> Pixels | None:
    return np.stack(pictures) if pictures else None


@contextmanager
def _open_sound(stream: WindowStream) -> Iterator[_Sound]:
    with open_source(stream.path) as source:
        yield _Sound(stream, source)


@contextmanager
def _open_faces(stream: WindowStream) -> Iterator[_Faces]:
    reading = stream.reading
    with open_container(stream.path) as container:
        yield _Faces(FaceReading(stream.path, container, reading.fps, reading.size, 0.0, stream.crop), reading.fps)


class _Sound:
    """The sound of an open file in stretches."""

    def __init__(self, stream: WindowStream, source: Source) -> None:
        self.path, self.reading, self.channel = stream.path, stream.reading, stream.channel
        self.declared = source.seconds
        self.unusual = unusual(stream.path, source)
        self.source = source.forward()
        self.silent, self.samples = True, 0

    def at(self, first: int, frames: int) -> tuple[Floats32, bool]:
        """``(S,)`` samples, fewer at the end of the file, and whether a frame or more follows.

        Raises:
            DataError: no sound at all, or the file ends in the middle.
        """
        frame, rate = self.reading.samples, self.reading.rate
        begin, wanted = first * frame, frames * frame
        found = checked(self.path, span(self.source, rate, begin, begin + wanted + frame, self.channel))
        if not len(found):
            raise DataError(f"{self.path}: no sound in it (0 samples)")
        self.silent = self.silent and is_silent(found)
        self.samples = begin + len(found)
        return found[:wanted], len(found) == wanted + frame

    def notes(self) -> tuple[str, ...]:
        found = (*self.unusual, *((silence(self.path),) if self.silent else ()))
        if self.samples < self.reading.samples:
            found = (*found, f"{self.path}: {short(self.samples)}")
        return (*found, *ends_early(self.path, self.samples / self.reading.rate, self.declared or 0.0))


class _Faces:
    """The pictures of an open file in stretches; those before the last one's beginning are forgotten."""

    def __init__(self, reading: FaceReading, fps: float) -> None:
        self.reading, self.fps = reading, fps
        self._coming = reading.each()
        self._kept: list[Pixels] = []
        self._begins = 0
        self._ended: int | None = None
        self._heard = 0

    def at(self, first: int, count: int) -> tuple[list[Pixels], bool]:
        """Up to ``count`` pictures, fewer at the end of the file, and whether another one follows.

        Raises:
            DataError: no picture at all, or the file ends in the middle.
        """
        self._kept = self._kept[first - self._begins :]
        self._begins = first
        while self._ended is None and len(self._kept) <= count:
            picture = next(self._coming, None)
            if picture is None:
                self._ended = first + len(self._kept)
            else:
                self._kept.append(picture)
        return self._kept[:count], len(self._kept) > count

    def beside(self, first: int, count: int) -> list[Pixels]:
        """The pictures beside ``count`` frames of sound, the last one repeated where they end before; none behind."""
        found, _ = self.at(first, count)
        self._heard = first + count
        return found + found[-1:] * (count - len(found))

    def notes(self) -> tuple[str, ...]:
        crop = tuple(f"{self.reading.path}: {note}" for note in self.reading.crop.notes)
        return (*self.reading.notes, *self._apart(), *crop)

    def _apart(self) -> tuple[str, ...]:
        """Where pictures and the sound beside them end at different times."""
        path, seconds = self.reading.path, self.reading.seconds or 0.0
        early = 0.0 if self._ended is None else (self._heard - self._ended) / self.fps
        late = seconds - self._heard / self.fps if self._heard else 0.0
        if early > _SHORT:
            return (f"{path}: pictures end {early:.2f} s before the sound",)
        return (f"{path}: sound ends {late:.2f} s before the pictures; they end with it",) if late > _SHORT else ()
