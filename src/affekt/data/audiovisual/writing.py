"""Writing films: pictures and sound of a clip into one mp4 (MPEG-4 part 2 and AAC), by PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.audiovisual.clips import Floats32, Pixels
from affekt.errors import MissingExtra

_QUALITY = "2"  # of 1 (best) to 31, the same for each picture
_EXACT = {"fflags": "+bitexact"}  # no date and no version in the file: the same clip is the same bytes


def write_film(path: Path, faces: Pixels, audio: Floats32, *, fps: float = 25.0, rate: int = 16_000) -> None:
    """An mp4 of ``(T, 3, H, W)`` uint8 RGB pictures, H and W even, and ``(S,)`` float32 mono sound in [-1, 1].

    Raises:
        MissingExtra: av is not installed.
    """
    try:
        import av
    except ImportError:
        raise MissingExtra("audiovisual", "av") from None
    with av.open(str(path), "w", format="mp4", options=_EXACT) as film:
        seen = film.add_stream("mpeg4", rate=Fraction(fps).limit_denominator(1001))
        seen.height, seen.width = faces.shape[2:]
        seen.pix_fmt, seen.options = "yuv420p", {"qscale": _QUALITY, "flags": "+qscale+bitexact"}
        seen.codec_context.thread_count = 1
        heard = film.add_stream("aac", rate=rate)
        heard.layout, heard.options = "mono", {"flags": "+bitexact"}
        for number, face in enumerate(faces):
            film.mux(seen.encode(_picture(av, face, number, fps)))
        film.mux(seen.encode(None))
        film.mux(heard.encode(_sound(av, audio, rate)))
        film.mux(heard.encode(None))


def _picture(av: Any, face: Pixels, number: int, fps: float) -> Any:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(face.transpose(1, 2, 0)), format="rgb24")
    frame.pts, frame.time_base = number, 1 / Fraction(fps).limit_denominator(1001)
    return frame


def _sound(av: Any, audio: Floats32, rate: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio[None]), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame
