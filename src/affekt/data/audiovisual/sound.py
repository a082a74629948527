"""Sound: mono at the rate asked for, of a file or a stretch of it, and what is out of the ordinary about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affekt.data.audiovisual.channels import Channel, mono
from affekt.data.audiovisual.clips import Floats32
from affekt.data.audiovisual.endings import TOLERANCE, ends_before, ends_early
from affekt.data.audiovisual.resampling import CROSSINGS, ratio, resample
from affekt.data.audiovisual.sources import Source, open_source
from affekt.errors import DataError, UsageError

_USUAL_RATES = frozenset({8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000})
_LOWEST, _HIGHEST = 1_000, 768_000
_SILENT = 2.0**-14  # the last bit or two of 16: a peak below is no sound


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What was read.

    Attributes:
        samples: ``(S,)`` float32 mono in [-1, 1].
        notes: what is out of the ordinary, a line each: silence, a strange rate, many channels.
        cut: whether there was more than the limit.
    """

    samples: Floats32
    notes: tuple[str, ...] = ()
    cut: bool = False


def read_audio(
    path: str | Path, rate: int = 16_000, *, start: float = 0.0, end: float | None = None, channel: Channel = "mean"
) -> Floats32:
    """``(S,)`` float32 mono in [-1, 1]: the sound of a file, or of its seconds ``start`` to ``end``, at ``rate`` Hz.

    wav and flac by soundfile; mp3, mp4, avi and the rest by PyAV. The level is the file's own: nothing is divided by
    its peak, deviation or variance. A stretch has the numbers of that stretch of the whole, up to rounding; of
    containers that count in milliseconds (flv, mkv) to within one, and where a codec makes noise up itself (aac) not.

    Args:
        channel: ``"mean"`` of all, or the ``"left"`` (first) or ``"right"`` (second); of one channel, that one.

    Raises:
        DataError: missing, damaged, ends in the middle, no audio track, empty, or shorter than ``end``.
        UsageError: a channel rule that does not exist, a rate that cannot be, ``end`` before ``start``.
        MissingExtra: soundfile or av is not installed.
    """
    return decode_sound(Path(path), rate, start=start, end=end, channel=channel).samples


def decode_sound(
    path: Path,
    rate: int,
    *,
    start: float = 0.0,
    end: float | None = None,
    limit: float | None = None,
    channel: Channel = "mean",
) -> Sound:
    """As :func:`read_audio`, with what is out of the ordinary.

    Args:
        limit: seconds that are read at most; a file may well be shorter.
    """
    stop = stretch_end(path, start, end, limit)
    with open_source(path) as source:
        notes = unusual(path, source)
        samples = _stretch(source, rate, start, stop, channel)
        length = (source.seconds if end is None else end) or 0.0
        notes = (*notes, *ends_before(path, source.seconds, start, end))
    _check_length(path, samples, rate, start, None if end is None else stop)
    samples = checked(path, samples)
    if is_silent(samples):
        notes = (*notes, silence(path))
    cut = limit is not None and length - start > limit + 0.5 / rate
    if end is None and not cut:
        notes = (*notes, *ends_early(path, start + len(samples) / rate, length))
    return Sound(samples=samples, notes=notes, cut=cut)


def stretch_end(path: Path, start: float, end: float | None, limit: float | None) -> float | None:
    """Where a stretch ends, in seconds; None: where the file does.

    Raises:
        UsageError: before it begins.
    """
    if start < 0 or (end is not None and end <= start):
        raise UsageError(f"{path}: {start:g} to {end} s: a stretch begins at 0 or later and ends after it begins")
    if limit is None:
        return end
    return start + limit if end is None else min(end, start + limit)


def sound_seconds(path: Path) -> float:
    """The length of a file's sound by its header, or by decoding it where the header says nothing reliable.

    Raises:
        DataError: as :func:`read_audio`.
    """
    with open_source(path) as source:
        if source.seconds is not None:
            return float(source.seconds)
        return float(source.read(0, None).shape[1] / source.rate)


def unusual(path: Path, source: Source) -> tuple[str, ...]:
    """Notes on a rate or a number of channels that is out of the ordinary.

    Raises:
        DataError: a rate that no sound has, or no channel.
    """
    if not (_LOWEST <= source.rate <= _HIGHEST) or source.channels < 1:
        raise DataError(
            f"{path}: {source.channels} channel(s) at {source.rate:,} Hz; 1 or more at {_LOWEST:,} to {_HIGHEST:,} Hz "
            "can be read"
        )
    notes = () if source.rate in _USUAL_RATES else (f"{path}: an unusual rate of {source.rate:,} Hz; resampled",)
    return notes if source.channels <= 2 else (*notes, f"{path}: {source.channels} channels, made into one")


def _stretch(source: Source, rate: int, start: float, end: float | None, channel: Channel) -> Floats32:
    """The samples of a stretch, in seconds."""
    first = round(start * rate)
    return span(source, rate, first, None if end is None else max(round(end * rate), first + 1), channel)


def span(source: Source, rate: int, first: int, stop: int | None, channel: Channel = "mean") -> Floats32:
    """Samples ``first`` to ``stop`` at ``rate``, resampled with what surrounds them, in step with the whole file."""
    up, down = ratio(source.rate, rate)
    reach = 0 if up == down else math.ceil(CROSSINGS * max(up, down) / up)
    begin = max(0, first * down // up - reach) // down * down
    until = None if stop is None else math.ceil(stop * down / up) + reach
    heard = mono(source.read(begin, until), channel)
    whole = resample(heard, source.rate, rate)
    offset = begin * up // down
    return whole[first - offset : None if stop is None else stop - offset]


def checked(path: Path, samples: Floats32) -> Floats32:
    """The samples within full scale, which a resampler's ripple may pass by a little.

    Raises:
        DataError: values that are no numbers.
    """
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: sample values that are no numbers (NaN or Inf)")
    return np.clip(samples, -1, 1)


def silence(path: Path) -> str:
    """The note on a file in which nothing is to be heard."""
    return f"{path}: silence; kept as it is"


def is_silent(samples: Floats32) -> bool:
    """Whether nothing in it is louder than the last bit or two of 16."""
    return not len(samples) or float(np.abs(samples).max()) < _SILENT


def _check_length(path: Path, samples: Floats32, rate: int, start: float, end: float | None) -> None:
    """
    Raises:
        DataError: no sound, or clearly less than was asked for.
    """
    there = start + len(samples) / rate
    if not len(samples):
        raise DataError(f"{path}: no sound " + (f"after {start:.2f} s" if start else "in it (0 samples)"))
    if end is not None and there < end - TOLERANCE:
        raise DataError(f"{path}: ends at {there:.2f} s; {start:.2f} to {end:.2f} s was asked for")
