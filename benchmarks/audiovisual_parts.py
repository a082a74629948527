"""Speed of decoding, resampling, packing and reading of clips, and memory by length of set: python
benchmarks/audiovisual_parts.py [--seconds 60]; what of it was promised is in benchmarks/audiovisual.py.

Sound is noise under a tone, pictures are a moving gradient; files are made in a temporary folder. One thread, in times
real time: seconds of clip for a second of the processor, so that a busy machine tells the same. The last table packs
and reads sets of growing length and prints what is allocated at the peak, which must not grow.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual import (
    ClassLabels,
    ClipAugmentation,
    ClipLoader,
    Clips,
    open_pack,
    pack_clips,
    read_audio,
    read_frames,
    resample,
)
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import Reading
from affekt.recipe import ClipAugmentationSettings

Floats = NDArray[np.float32]


def sound(seconds: float, rate: int) -> Floats:
    t = np.arange(round(seconds * rate)) / rate
    hiss = np.random.default_rng(0).normal(scale=0.05, size=len(t))
    return (0.4 * np.sin(2 * np.pi * 220 * t) + hiss).astype(np.float32)


def film(path: Path, seconds: float, size: tuple[int, int], fps: int, rate: int) -> None:
    """H.264 and AAC in an mp4."""
    import av

    width, height = size
    x = np.arange(width)[None, :, None] + np.arange(height)[:, None, None] * np.array([1, 2, 3])
    with av.open(str(path), "w") as out:
        seen, heard = out.add_stream("libx264", rate=fps), out.add_stream("aac", rate=rate)
        seen.width, seen.height, seen.pix_fmt, heard.layout = width, height, "yuv420p", "mono"
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(((x + 3 * number) % 256).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(seen.encode(frame))
        out.mux(seen.encode(None))
        frame = av.AudioFrame.from_ndarray(sound(seconds, rate)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        out.mux(heard.encode(frame))
        out.mux(heard.encode(None))


def song(path: Path, seconds: float, rate: int) -> None:
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libmp3lame", rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sound(seconds, rate)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def times_real_time(work: Callable[[], object], seconds: float) -> float:
    """Seconds of clip a second of the processor, the best of three."""
    work()
    best = min(_timed(work) for _ in range(3))
    return seconds / best


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def speeds(folder: Path, seconds: float) -> None:
    import soundfile

    print(f"{'what':<52} {'times real time':>15}")
    for rate in (22_050, 44_100, 48_000, 96_000):
        samples = sound(seconds, rate)
        row(f"resample {rate} Hz to 16 kHz", lambda s=samples, r=rate: resample(s, r, 16_000), seconds)
    for name, rate in (("a.wav", 16_000), ("b.wav", 48_000), ("c.flac", 44_100)):
        soundfile.write(folder / name, sound(seconds, rate), rate)
        row(f"read_audio {name[2:]} {rate} Hz", lambda n=name: read_audio(folder / n), seconds)
    song(folder / "d.mp3", seconds, 44_100)
    row("read_audio mp3 44100 Hz", lambda: read_audio(folder / "d.mp3"), seconds)
    for size, fps in (((480, 360), 30), ((720, 480), 30), ((1280, 720), 30)):
        path = folder / f"{size[0]}.mp4"
        film(path, seconds / 4, size, fps, 48_000)
        row(f"read_audio mp4 48000 Hz beside {size[0]} x {size[1]}", lambda p=path: read_audio(p), seconds / 4)
        row(f"read_frames mp4 {size[0]} x {size[1]} at {fps}, 96 px", lambda p=path: read_frames(p), seconds / 4)


def row(what: str, work: Callable[[], object], seconds: float) -> None:
    print(f"{what:<52} {times_real_time(work, seconds):>15,.0f}", flush=True)


def clips_of(path: Path, number: int, seconds: float) -> Clips:
    """``number`` clips of a recording, each ``seconds`` long."""
    sources = [ClipSource(name=str(i), audio=str(path), video=str(path), seconds=seconds) for i in range(number)]
    return Clips(
        name="benchmark",
        ids=np.array([source.name for source in sources]),
        media=FileMedia(sources=sources, reading=Reading(features=("audio", "log-mel", "faces"))),
        labels={"emotion": ClassLabels(classes=("a", "b"), index=np.arange(number) % 2)},
        groups=np.array([str(i % 8) for i in range(number)]),
    )


def memory(folder: Path) -> None:
    path = folder / "480.mp4"
    augment = ClipAugmentation(ClipAugmentationSettings(noise=1.0, reverberation=1.0, speed=(0.9, 1.1)))
    columns = ("clips of 3 s", "packed MB", "peak MB, packing", "peak MB, reading", "augmenting, x", "reading, x")
    print("\n" + " ".join(f"{name:>16}" for name in columns))
    for number in (32, 64, 256):
        clips, out = clips_of(path, number, 3.0), folder / f"pack-{number}"
        tracemalloc.start()
        done = pack_clips(clips, out, workers=1)
        packing = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        order = np.arange(number).reshape(-1, 8)
        for _ in ClipLoader(open_pack(out), workers=1).batches(order):
            pass
        reading = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        batches = list(ClipLoader(open_pack(out), workers=1).batches(order[:2]))
        pace = times_real_time(lambda b=batches: [augment(batch, seed=0, epoch=0) for batch in b], 2 * 8 * 3.0)
        loading = times_real_time(
            lambda o=out, w=order: list(map(len, ClipLoader(open_pack(o), workers=1).batches(w))), number * 3.0
        )
        numbers = (number, done.size / 1e6, packing / 1e6, reading / 1e6, pace, loading)
        print(" ".join(f"{value:>16,.0f}" for value in numbers), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each recording")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        speeds(Path(folder), asked.seconds)
        memory(Path(folder))


if __name__ == "__main__":
    main()
