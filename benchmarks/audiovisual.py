"""What audio and video were promised to take, and what they take: python benchmarks/audiovisual.py [--seconds 60]

Sound is noise under a tone, pictures are a moving gradient; files are made in a temporary folder. One table:

- waiting: share of the time of training steps for which the step waits for its batch, packed features, 2 workers. Once
  with the published network (clips of 3 s, 2 a step), once with the smallest there is, which waits most.
- decoding and resampling of sound to 16 kHz, one core, seconds of clip a second of the processor: each kind of file.
- the published network on a clip of 6 s, two threads, evaluation mode: by the clock, and by the processor on two cores.
- reading packs of two lengths from end to end in a process each: the peak of its own memory (``RssAnon``), and of all
  that is resident (``VmHWM``), in which pages of the mapped pack count, too, which the system takes back at will.

Times by the processor are steady on a busy machine; those by the clock are not, and the last line says what it was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from audiovisual_parts import clips_of, film, song, sound, times_real_time

from affekt.data.audiovisual import ClipBatch, ClipLoader, open_pack, pack_clips, read_audio
from affekt.multimodal import AudioVisualNetwork

TASKS = {"emotion": 2}
LENGTHS = (48, 192)


def row(what: str, promised: str, measured: str, held: bool) -> None:
    print(f"{what:<58} {promised:>12} {measured:>26}  {'yes' if held else 'no'}", flush=True)


def steps(network: AudioVisualNetwork, batches: Iterator[ClipBatch]) -> tuple[float, float]:
    """Seconds that steps wait for their batches, and seconds in all; the first step warms up."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    waited = whole = 0.0
    begun = time.perf_counter()
    for number, batch in enumerate(batches):
        there = time.perf_counter()
        out = network(batch.audio, batch.faces, batch.lengths)
        network.losses(out, batch.labels)["emotion"].backward()
        optimiser.step()
        optimiser.zero_grad()
        done = time.perf_counter()
        if number:
            waited, whole = waited + there - begun, whole + done - begun
        begun = time.perf_counter()
    return waited, whole


def waiting(pack: Path) -> None:
    clips = open_pack(pack)
    small = AudioVisualNetwork(
        TASKS, "log-mel", "resnet8-w4", 32, "mean", hidden=16, audio_options={"mels": 16, "features": 16}
    )
    published = AudioVisualNetwork(TASKS)
    for name, network, size, number in (("published network", published, 2, 3), ("smallest", small, 8, 6)):
        order = np.arange(size * number).reshape(number, size) % len(clips)
        waited, whole = steps(network.train(), ClipLoader(clips, workers=2).batches(list(order)))
        share = waited / whole
        row(f"waiting for clips of 3 s, {size} a step, {name}", "< 5 %", f"{100 * share:.2f} %", share < 0.05)


def decoding(folder: Path, seconds: float) -> None:
    import soundfile

    soundfile.write(folder / "a.wav", sound(seconds, 48_000), 48_000)
    soundfile.write(folder / "b.flac", sound(seconds, 44_100), 44_100)
    song(folder / "c.mp3", seconds, 44_100)
    film(folder / "d.mp4", seconds / 4, (480, 360), 30, 48_000)
    for name, rate, length in (
        ("a.wav", 48_000, 1),
        ("b.flac", 44_100, 1),
        ("c.mp3", 44_100, 1),
        ("d.mp4", 48_000, 0.25),
    ):
        pace = times_real_time(lambda n=name: read_audio(folder / n), seconds * length)
        row(
            f"decoding, resampling {name[2:]} of {rate} Hz, one core", ">= 50 x", f"{pace:,.0f} x real time", pace >= 50
        )


def forward() -> None:
    torch.set_num_threads(2)
    network = AudioVisualNetwork({"emotion": 4, "gender": 2}).eval()
    given = torch.rand(1, 96_000) * 2 - 1, torch.randint(0, 256, (1, 150, 3, 96, 96), dtype=torch.uint8)
    with torch.inference_mode():
        network(*given)
        wall, processor = min_of(lambda: network(*given), 3)
    row("published network, clip of 6 s, two cores: clock", "< 6 s", f"{wall:.2f} s", wall < 6)
    row("  the same: processor / 2", "< 6 s", f"{processor / 2:.2f} s", processor / 2 < 6)
    torch.set_num_threads(1)


def min_of(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor, each the least."""
    found = []
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - clock, time.process_time() - processor))
    return min(wall for wall, _ in found), min(busy for _, busy in found)


def memory(folder: Path, path: Path) -> None:
    peaks = []
    for number in LENGTHS:
        pack_clips(clips_of(path, number, 3.0), folder / f"pack-{number}", workers=2)
        command = [sys.executable, __file__, "--read", str(folder / f"pack-{number}")]
        own, resident = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        peaks.append(own)
        row(f"reading a pack of {number} clips of 3 s", "", f"{own} MB own, {resident} MB", True)
    growth = peaks[-1] / peaks[0]
    row(f"  memory with {LENGTHS[1] // LENGTHS[0]} times the clips", "< 1.1 x", f"{growth:.2f} x", growth < 1.1)


def read(pack: Path) -> None:
    """In a process of its own: read a pack from end to end, print the peaks of memory in MB."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], status("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    clips = open_pack(pack)
    for _ in ClipLoader(clips, workers=2).batches(list(np.arange(len(clips)).reshape(-1, 8))):
        pass
    done.set()
    watcher.join()
    print(peak[0] // 1024, status("VmHWM") // 1024)


def status(name: str) -> int:
    """kB, as Linux says them."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each recording")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.read is not None:
        read(asked.read)
        return
    print(f"{'what':<58} {'promised':>12} {'measured':>26}  held")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        decoding(folder, asked.seconds)
        memory(folder, folder / "d.mp4")
        waiting(folder / f"pack-{LENGTHS[0]}")
        forward()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes wanted them, torch {torch.__version__}")


if __name__ == "__main__":
    main()
