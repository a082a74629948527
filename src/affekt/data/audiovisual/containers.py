"""Containers: the sound and picture tracks of mp3, mp4, avi, flv ... by PyAV (package av).

Times count from the container's own start, so that sound and pictures of one file stay together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.audiovisual.clips import Floats32
from affekt.data.audiovisual.endings import TOLERANCE, check_file, ends_in_the_middle, reason
from affekt.errors import DataError, MissingExtra

_PREROLL = 0.5  # seconds decoded and thrown away before a place in the middle: codecs need what came before
_JUMP = 0.05  # seconds by which time stamps may stray from the count of samples before they are believed
_ATTACHED_PICTURE = 0x400
_LOOSE = 0.5  # seconds, as TOLERANCE, where only the container says a length, not the track
_TEXT = frozenset({"tty", "bin", "xbin", "adf", "idf"})  # FFmpeg draws text files as films
_FULL_SCALE = {"i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """An open PyAV container.

    Raises:
        DataError: missing, or nothing that FFmpeg can read; what a decoder says while it is open.
        MissingExtra: no av.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise MissingExtra("audiovisual", "av") from None
    check_file(path)
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError, ValueError) as error:
        text = "cannot be opened: it ends in the middle, or it holds neither sound nor pictures"
        raise DataError(f"{path}: {text} ({reason(error)})") from None
    with container:
        if container.format.name in _TEXT:
            raise DataError(f"{path}: text, and neither sound nor pictures")
        yield container


def origin(container: Any) -> float:
    """Seconds at which the container's time begins."""
    return 0.0 if container.start_time is None else float(container.start_time) / 1e6


def sound_track(path: Path, container: Any) -> Any:
    """The first sound track.

    Raises:
        DataError: there is none.
    """
    if not container.streams.audio:
        raise DataError(f'{path}: no audio track; read its pictures alone (features = ["faces"]) or leave it out')
    return _single_threaded(container.streams.audio[0])


def picture_track(path: Path, container: Any) -> Any:
    """The first track of moving pictures; the cover of a song is none.

    Raises:
        DataError: there is none.
    """
    found = [s for s in container.streams.video if not is_cover(s)]
    if not found:
        raise DataError(f'{path}: no video track; read its sound alone (features = ["audio"]) or leave it out')
    return _single_threaded(found[0])


def is_cover(stream: Any) -> bool:
    """Whether a picture track is the cover of a song."""
    flags = stream.disposition  # a number, or a flag that holds one
    return bool(getattr(flags, "value", flags) & _ATTACHED_PICTURE)


def _single_threaded(stream: Any) -> Any:
    """Clips are decoded side by side: threads within one would only wait for each other."""
    stream.codec_context.thread_count = 1
    return stream


def decoded(container: Any, stream: Any, start: float) -> Iterator[Any]:
    """The frames of a track in the order of time, from at or before ``start`` seconds.

    A damaged end ends the frames: whether something is missing, the caller sees by the declared length.
    """
    from av.error import FFmpegError

    if start > 0:
        container.seek(int((start + origin(container)) * 1e6), backward=True, any_frame=False)
    try:
        yield from container.decode(stream)
    except (FFmpegError, EOFError):
        return


def declared_seconds(path: Path, container: Any, stream: Any) -> tuple[float | None, float]:
    """What the header says of a track's length, and the seconds by which it may be wrong; None: nothing reliable.

    Raises:
        DataError: an avi whose index stops before the number of pictures in its header.
    """
    _check_index(path, container)
    if container.format.name == "mp3" and not _has_length(path):
        return None, 0.0
    if container.format.name in ("aac", "mpegts"):
        return None, 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base), TOLERANCE
    if container.duration is not None:
        return container.duration / 1e6, _LOOSE
    return None, 0.0


def _check_index(path: Path, container: Any) -> None:
    if container.format.name != "avi":
        return
    for stream in container.streams.video:
        if stream.duration is None or not stream.frames or not stream.average_rate:
            continue
        whole = float(stream.frames / stream.average_rate)
        there = float(stream.duration * stream.time_base)
        if there < whole - TOLERANCE:
            raise ends_in_the_middle(path, there, whole)


def _has_length(path: Path) -> bool:
    """Whether an mp3 says how many frames it has; FFmpeg's guess from the bit rate may be far off."""
    with path.open("rb") as file:
        head = file.read(2**18)
    return any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))


@contextmanager
def open_sound_track(path: Path) -> Iterator[SoundTrack]:
    """
    Raises:
        DataError: as :func:`open_container`, or no sound track.
        MissingExtra: no av.
    """
    with open_container(path) as container:
        yield SoundTrack(path, container)


class SoundTrack:
    """The sound track of an open container; see :class:`~affekt.data.audiovisual.sources.Source`."""

    def __init__(self, path: Path, container: Any) -> None:
        stream = sound_track(path, container)
        self.path = path
        self.rate = int(stream.codec_context.sample_rate)
        self.channels = len(stream.codec_context.layout.channels)
        self.seconds, self._slack = declared_seconds(path, container, stream)
        self._container = container
        self._stream = stream

    def read(self, start: int, stop: int | None) -> Floats32:
        stop = _earlier(stop, self._declared_end())
        parts = list(self.pieces(start, stop))
        whole = np.concatenate(parts, axis=1) if parts else np.zeros((self.channels, 0), dtype=np.float32)
        return whole if stop is None else whole[:, : max(0, stop - start)]

    def forward(self) -> OnePass:
        """The same from its beginning to its end, decoded once."""
        end = self._declared_end()
        return OnePass(self, self.pieces(0, end), end)

    def pieces(self, start: int, stop: int | None) -> Iterator[Floats32]:
        """``(C, n)`` samples one after the other from number ``start`` to ``stop`` or a little more, gaps as zeros.

        Raises:
            DataError: it ends in the middle, said after the last piece.
        """
        position = start
        for index, samples in self._numbered(start):
            if stop is not None and index >= stop:
                break
            piece = samples[:, max(0, position - index) :]
            if not piece.shape[1]:
                continue
            if index > position:
                yield np.zeros((self.channels, index - position), dtype=np.float32)
            yield piece
            position = max(index, position) + piece.shape[1]
            if stop is not None and position >= stop:
                break
        self._check_end(position, stop)

    def _declared_end(self) -> int | None:
        """Coded sound comes in frames of a fixed length; what is declared says where it really ends."""
        return None if self.seconds is None or self._slack > TOLERANCE else round(self.seconds * self.rate)

    def _numbered(self, start: int) -> Iterator[tuple[int, Floats32]]:
        """``(number of the first sample, (C, n) samples)`` of each coded frame, in order, without small gaps."""
        begins = origin(self._container)
        early = max(0.0, start / self.rate - _PREROLL)
        expected: int | None = None
        for frame in decoded(self._container, self._stream, early):
            if frame.sample_rate != self.rate or len(frame.layout.channels) != self.channels:
                raise DataError(f"{self.path}: rate or channels change within the sound track; convert it first")
            stamped = None if frame.time is None else round((frame.time - begins) * self.rate)
            index = self._index(stamped, expected)
            samples = _floats(frame, self.channels)
            expected = index + samples.shape[1]
            yield index, samples

    def _index(self, stamped: int | None, expected: int | None) -> int:
        if expected is None:
            return stamped or 0
        return expected if stamped is None or abs(stamped - expected) < _JUMP * self.rate else stamped

    def _check_end(self, position: int, stop: int | None) -> None:
        if self.seconds is None or (stop is not None and position >= stop):
            return
        found = position / self.rate
        wanted = self.seconds if stop is None else min(self.seconds, stop / self.rate)
        if found < wanted - self._slack:
            raise ends_in_the_middle(self.path, found, self.seconds)


class OnePass:
    """A sound track from front to back; see :class:`~affekt.data.audiovisual.sources.Source`.

    Stretches are asked for in the order of their beginnings; what lies before the last one's is forgotten, so that
    memory holds a stretch however long the file is.
    """

    def __init__(self, track: SoundTrack, pieces: Iterator[Floats32], end: int | None) -> None:
        self.rate, self.channels, self.seconds = track.rate, track.channels, track.seconds
        self._pieces = pieces
        self._end = end
        self._kept = np.zeros((self.channels, 0), dtype=np.float32)
        self._begins = 0

    def read(self, start: int, stop: int | None) -> Floats32:
        stop = _earlier(stop, self._end)
        self._forget(start)
        parts, there = [self._kept], self._kept.shape[1]
        while stop is None or self._begins + there < stop:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            there += piece.shape[1]
        self._kept = np.concatenate(parts, axis=1)
        self._forget(start)
        return self._kept if stop is None else self._kept[:, : max(0, stop - self._begins)]

    def forward(self) -> OnePass:
        return self

    def _forget(self, start: int) -> None:
        gone = min(start - self._begins, self._kept.shape[1])
        self._kept, self._begins = self._kept[:, gone:], self._begins + gone


def _earlier(stop: int | None, end: int | None) -> int | None:
    """The smaller one; None: neither is known."""
    known = [number for number in (stop, end) if number is not None]
    return min(known) if known else None


def _floats(frame: Any, channels: int) -> Floats32:
    """``(C, n)`` float32 in [-1, 1] of one coded frame, planar or packed, of any sample format."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    kind = values.dtype.str[1:]
    if kind == "u1":
        values = (values.astype(np.float32) - 128) / 128
    scaled: Floats32 = (values / _FULL_SCALE.get(kind, 1.0)).astype(np.float32)
    return scaled
