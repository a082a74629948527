"""Windowing: clips longer than the window as several, each with its start and end on the clip's own timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.media import ClipSource
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.timeline import whole_frames, windows
from affekt.data.stimuli import Ints
from affekt.errors import DataError, UsageError
from affekt.recipe import ClipSettings


@dataclass(frozen=True, kw_only=True)
class Windowed:
    """What is read as one.

    Attributes:
        sources: W places.
        rows: ``(W,)`` the clip that each is cut from.
        starts, ends: ``(W,)`` seconds on the clip's timeline; the end is NaN where the file says it when it is read.
        notes: how many windows there are.
    """

    sources: Sequence[ClipSource]
    rows: Ints
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def windowed(sources: Sequence[ClipSource], reading: Reading, settings: ClipSettings) -> Windowed:
    """The clips as they are (their beginnings, with ``longer = "cut"``), or their windows.

    Windows need the length of each clip, which is read from the headers of files that do not say it otherwise; a file
    whose header cannot be read stays one piece, and says so when it is read.

    Raises:
        UsageError: windows without a ``window``, a hop that is no whole number of pictures or leaves gaps.
    """
    if settings.longer == "cut":
        ends = [_end(source.seconds, reading.window) for source in sources]
        starts = np.zeros(len(sources))
        return Windowed(sources=sources, rows=np.arange(len(sources)), starts=starts, ends=np.array(ends))
    window, hop = _lengths(settings)
    pieces: list[ClipSource] = []
    rows: list[int] = []
    spans: list[tuple[float, float]] = []
    for row, source in enumerate(sources):
        for piece, span in _pieces(source, reading, window, hop):
            pieces.append(piece)
            rows.append(row)
            spans.append(span)
    starts, ends_ = np.array(spans, dtype=np.float64).reshape(-1, 2).T
    note = f"{len(pieces)} windows of {window:g} s, one every {hop:g} s, from {len(sources)} clips"
    return Windowed(sources=pieces, rows=np.array(rows, dtype=np.int64), starts=starts, ends=ends_, notes=(note,))


def _end(seconds: float | None, window: float | None) -> float:
    if seconds is None:
        return float("nan")
    return seconds if window is None else min(seconds, window)


def _lengths(settings: ClipSettings) -> tuple[float, float]:
    window = settings.window
    if window is None:
        raise UsageError('longer = "windows": how long? write a window, e.g. window = 6')
    hop = window if settings.hop is None else settings.hop
    whole_frames("hop", hop, settings.fps)
    if hop > window:
        raise UsageError(f"hop = {hop:g} s: longer than window = {window:g} s, what lies between would be lost")
    return window, hop


def _pieces(
    source: ClipSource, reading: Reading, window: float, hop: float
) -> list[tuple[ClipSource, tuple[float, float]]]:
    try:
        seconds = _seconds(source, reading)
    except DataError:
        return [(source, (0.0, float("nan")))]
    if seconds <= window:
        return [(source, (0.0, seconds))]
    spans = windows(seconds, window, hop).tolist()
    pieces = [(_piece(source, start, end), (start, end)) for start, end in spans]
    if source.seconds is None:
        # A header may be a little wrong about the end: the last piece ends where the file does.
        last, span = pieces[-1]
        pieces[-1] = replace(last, seconds=None), span
    return pieces


def _piece(source: ClipSource, start: float, end: float) -> ClipSource:
    return replace(source.part(start, end - start), name=f"{source.name}@{start:.2f}-{end:.2f}")


def _seconds(source: ClipSource, reading: Reading) -> float:
    """
    Raises:
        DataError: the file cannot be read.
    """
    from affekt.data.audiovisual.sound import sound_seconds
    from affekt.data.audiovisual.video import video_seconds

    if source.seconds is not None:
        return source.seconds
    if reading.hears:
        return sound_seconds(Path(source.audio)) - source.audio_start
    return video_seconds(Path(source.video)) - source.video_start
