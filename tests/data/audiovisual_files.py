"""Small recordings in the layouts of the published sets, made on the spot, for the tests of their readers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Floats32


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 0.5) -> Floats32:
    """``(S,)`` a sine."""
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float, rate: int, seed: int = 0, amplitude: float = 0.2) -> Floats32:
    """``(S,)`` noise that never passes full scale."""
    drawn = np.random.default_rng(seed).normal(size=round(seconds * rate))
    return np.clip(amplitude * drawn, -0.99, 0.99).astype(np.float32)


def level(samples: Floats32) -> float:
    """Root of the mean square, without the ends."""
    n = len(samples) // 8
    return float(np.sqrt(np.mean(np.square(samples[n:-n].astype(np.float64)))))


def write_wav(path: Path, samples: Floats32, rate: int = 16_000) -> Path:
    """16-bit wav (of ``(S,)`` or ``(C, S)``) by hand, so that it needs no package."""
    channels = np.atleast_2d(samples)
    data = np.clip(np.rint(channels.T * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes()
    n = len(channels)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, n, rate, rate * 2 * n, 2 * n, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return path


def touch(root: Path, names: Sequence[str]) -> Path:
    """Empty files: readers look at names only."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def grey_frames(count: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """``(T, H, W, 3)``: picture k is ``16 + 3 k`` all over."""
    frames = np.empty((count, height, width, 3), dtype=np.uint8)
    frames[:] = (16 + 3 * np.arange(count, dtype=np.int64) % 240).astype(np.uint8)[:, None, None, None]
    return frames


def write_media(
    path: Path,
    frames: NDArray[np.uint8] | None = None,
    samples: Floats32 | None = None,
    *,
    fps: Fraction | int = 25,
    rate: int = 48_000,
    video: str = "mpeg4",
    audio: str = "aac",
    options: dict[str, str] | None = None,
) -> Path:
    """A file by PyAV: pictures ``(T, H, W, 3)`` and sound ``(C, S)`` or ``(S,)``, either absent."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options or {}) as container:
        seen = heard = None
        if frames is not None:
            seen = container.add_stream(video, rate=fps)
            seen.height, seen.width = frames.shape[1:3]
            seen.pix_fmt = "yuv420p"
            seen.options = {"qscale": "1"} if video == "mpeg4" else {}
            seen.bit_rate = 4_000_000
        if samples is not None:
            heard = container.add_stream(audio, rate=rate)
            heard.layout = "stereo" if np.atleast_2d(samples).shape[0] == 2 else "mono"
        if seen is not None and frames is not None:
            for number, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, 1 / Fraction(fps)
                container.mux(seen.encode(frame))
            container.mux(seen.encode(None))
        if heard is not None and samples is not None:
            container.mux(heard.encode(_audio_frame(av, heard, np.atleast_2d(samples), rate)))
            container.mux(heard.encode(None))
    return path


def _audio_frame(av, stream, samples, rate):  # type: ignore[no-untyped-def]
    name = stream.format.name
    values = samples.astype(np.float32)
    if name.startswith("s16"):
        values = np.rint(values * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    elif name.startswith("s32"):
        values = np.rint(values.astype(np.float64) * 2**31).clip(-(2.0**31), 2**31 - 1).astype(np.int32)
    if not name.endswith("p"):
        values = values.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), format=name, layout=stream.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame


def cut(source: Path, target: Path, share: float) -> Path:
    """The first ``share`` of a file's bytes: a copy that broke off."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target
