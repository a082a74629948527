"""Timeline: frames of pictures and the samples of sound beside them; long clips in windows with start and end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from affekt.errors import UsageError

Floats = NDArray[np.float64]


def samples_per_frame(rate: int, fps: float) -> int:
    """Samples of sound beside one picture: 640 at 16 kHz and 25 pictures a second.

    Raises:
        UsageError: it is no whole number; the nearest rates of pictures that divide are named.
    """
    if not (0 < fps < math.inf and 0 < rate < math.inf):
        raise UsageError(f"fps = {fps}, rate = {rate}: write numbers above 0, e.g. fps = 25, rate = 16000")
    samples = rate / fps
    if abs(samples - round(samples)) > 1e-9:
        low, high = (rate / n for n in (math.ceil(samples), math.floor(samples)))
        usual = [f for f in (10, 12.5, 20, 25, 32, 40, 50) if rate % f == 0]
        raise UsageError(
            f"fps = {fps:g}: does not divide rate = {rate} ({samples:.2f} samples a picture); write {low:.6g} or "
            f"{high:.6g}" + (f", or a round one: {', '.join(f'{f:g}' for f in usual)}" if usual else "")
        )
    return round(samples)


def frames_in(seconds: float, fps: float) -> int:
    """Frames that cover a stretch of time, the last one perhaps in part; one at least."""
    return max(1, math.ceil(seconds * fps - 1e-6))


def whole_frames(name: str, seconds: float, fps: float) -> int:
    """``seconds`` as a number of frames.

    Raises:
        UsageError: it is none.
    """
    if not 0 < seconds < math.inf:
        raise UsageError(f"{name} = {seconds:g} s: write a number of seconds above 0")
    frames = seconds * fps
    if abs(frames - round(frames)) > 1e-6:
        low, high = math.floor(frames) / fps, math.ceil(frames) / fps
        raise UsageError(
            f"{name} = {seconds:g} s: {frames:g} pictures at fps = {fps:g}; write a whole number of them, e.g. "
            f"{low:g} or {high:g}"
        )
    return round(frames)


def windows(seconds: float, window: float, hop: float) -> Floats:
    """``(W, 2)`` start and end in seconds: a window every ``hop``, until the end is reached, where the last is cut off.

    Every moment lies in a window if ``hop`` is no larger than ``window``. A clip no longer than one window is one.
    """
    count = max(1, math.ceil((seconds - window) / hop - 1e-9) + 1)
    starts = np.arange(count) * hop
    starts = starts[(starts < seconds - 1e-9) | (starts == 0)]
    return np.stack([starts, np.minimum(starts + window, seconds)], axis=1)
