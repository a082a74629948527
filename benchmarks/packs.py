"""Packs of an EmoSet-size set of pictures: memory of writer and reader, shuffled reading against the disk's own.

    python benchmarks/packs.py [--n 118000] [--reads 20000] [--rounds 5] [--folder DIR]
    python benchmarks/packs.py --side 224 --reads 4000          # 21 GiB of disk: larger than a process may be

Pictures are made: square JPEG files of `--side` pixels, 64 by default, in eight folders, waves of colour with noise.
`affekt data pack folder` packs them as bytes and as pixels; then one process reads each pack shuffled, as a training
does (with two decoding workers for bytes). Peaks are of the largest process, mapped pages included. Speeds: the same
byte ranges of the same file in the same random order, by plain reads one after another (the disk's own) and through
the pack, in turn, each on a file whose pages were just thrown out of this machine's cache; medians of rounds. Pages
read beyond those asked for would show in the bytes that the system counts. What it costs that each picture is compared
with its checksum when it is first read: processor time of the first reading of shuffled pictures and of the second,
from memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat
from pathlib import Path

import numpy as np
from PIL import Image

from affekt.cli.printing import write, write_table
from affekt.data import dataset
from affekt.data.packs import PackedPictures
from affekt.data.pictures import read_picture
from affekt.study.executors.local import cores

CLASSES, BATCH, GIB = 8, 128, 2**30
NOISES, SHARE = 32, 2000
"""Different pictures of noise; pictures that a thread makes at a time."""


def make(root: Path, n: int, side: int) -> None:
    """n JPEG files in eight folders."""
    for label in range(CLASSES):
        (root / f"class-{label}").mkdir(parents=True)
    shares = [range(start, min(start + SHARE, n)) for start in range(0, n, SHARE)]
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(make_some, repeat(root), shares, repeat(side)))


def make_some(root: Path, numbers: range, side: int) -> None:
    rng = np.random.default_rng([0, numbers.start])
    noise = rng.normal(0, 12, (NOISES, 3, side, side)).astype(np.float32)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    for number in numbers:
        wave = np.sin(x * rng.uniform(0, 0.5) + y * rng.uniform(0, 0.5), dtype=np.float32)
        pixels = 128 + rng.uniform(-80, 80, (3, 1, 1)).astype(np.float32) * wave + noise[number % NOISES]
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))
        picture.save(root / f"class-{number % CLASSES}" / f"{number:06d}.jpg", quality=85)


def peak(words: list[str]) -> tuple[float, float]:
    """(seconds, GiB): of a command, the largest process of it."""
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return time.perf_counter() - begun, used.ru_maxrss * 1024 / GIB


def epoch(folder: Path, side: int, workers: int) -> None:
    """Read a whole pack shuffled, and print the GiB of the largest process of this reading."""
    from affekt.data.loading import Loader

    stimuli = dataset("pack").open(folder, "all", image_size=side)
    order = np.random.default_rng(0).permutation(len(stimuli))
    with Loader(stimuli, memory_gib=0.0, workers=workers) as loader:
        for _ in loader.batches([order[i : i + BATCH] for i in range(0, len(order), BATCH)]):
            pass
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    print(max(resource.getrusage(who).ru_maxrss for who in whose) * 1024 / GIB)


def read_epoch(folder: Path, side: int, workers: int) -> tuple[float, float]:
    """(seconds, GiB) of :func:`epoch` in a process of its own."""
    begun = time.perf_counter()
    words = [sys.executable, __file__, "--epoch", str(folder), "--side", str(side), "--workers", str(workers)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, float(done.stdout)


def from_disk() -> int:
    """Bytes that this process has had read from the disk so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("read_bytes")).split()[1])


def clocked(path: Path, work: Callable[[], int]) -> tuple[float, float]:
    """(megabytes a second, bytes from the disk by byte asked for), the file's pages thrown out before."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before, begun = from_disk(), time.perf_counter()
    size = work()
    return size / 1e6 / (time.perf_counter() - begun), (from_disk() - before) / size


def packed(folder: Path, side: int) -> PackedPictures:
    pictures = dataset("pack").open(folder, "all", image_size=side).pictures
    assert isinstance(pictures, PackedPictures)
    return pictures


def batches(rows: np.ndarray) -> Iterator[np.ndarray]:
    yield from (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def plainly(path: Path, ranges: list[tuple[int, int]]) -> int:
    """Read byte ranges one after another."""
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        return sum(len(os.pread(file.fileno(), size, start)) for start, size in ranges)


def speeds(folder: Path, side: int, reads: int, rounds: int) -> tuple[object, ...]:
    """A row of the table: the disk's own, and through the pack."""
    path = folder / "pictures.bin"
    starts = packed(folder, side)._starts
    found: dict[str, list[tuple[float, float]]] = {"disk": [], "pack": []}
    for turn in range(rounds + 1):
        rows = np.random.default_rng(turn).permutation(len(starts) - 1)[:reads]
        ranges = [(int(starts[row]), int(starts[row + 1] - starts[row])) for row in rows]
        asked = sum(size for _, size in ranges)

        # Anew, so that each is compared with its checksum; not on the clock, since a training opens a pack once. It is
        # gone when its turn is over: pages that somebody has mapped are not thrown out.
        opened = [packed(folder, side)]
        opened[0].raw(rows[:0])

        def through(opened: list[PackedPictures] = opened, rows: np.ndarray = rows, asked: int = asked) -> int:
            pictures = opened.pop()
            for batch, following in pairwise([*batches(rows), rows[:0]]):
                pictures.expect(following)  # as the loader does
                pictures.raw(batch)
            return asked

        works = {"disk": lambda ranges=ranges: plainly(path, ranges), "pack": through}
        # The first to go is another in each round; the first round is not counted.
        for name in sorted(works, reverse=bool(turn % 2)):
            one = clocked(path, works[name])
            found[name] += [one] if turn else []
    ratio = statistics.median(p[0] / d[0] for p, d in zip(found["pack"], found["disk"], strict=True))
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    shares = [f"{middle[name][1]:.2f}" for name in ("disk", "pack")]
    return folder.name, f"{middle['disk'][0]:.1f}", f"{middle['pack'][0]:.1f}", f"{ratio:.2f}", *shares


def comparing(folder: Path, side: int, reads: int, rounds: int) -> tuple[object, ...]:
    """A row of the table: microseconds of processor time a picture, of the first reading and of the next, from memory.

    Pixels are read as a training reads them; bytes are copied, and not decoded.
    """
    rows = np.random.default_rng(0).permutation(len(packed(folder, side)))[:reads]
    found: list[list[float]] = []
    for turn in range(rounds + 1):
        pictures = packed(folder, side)
        read = pictures.raw if pictures.side is None else pictures.read_array
        times = []
        for _ in range(2):
            begun = time.process_time()
            for batch in batches(rows):
                read(batch)
            times.append((time.process_time() - begun) / len(rows) * 1e6)
        found += [times] if turn else []
    first, again = (statistics.median(column) for column in zip(*found, strict=True))
    return folder.name, f"{first:.1f}", f"{again:.1f}", f"{first - again:.1f}"


def decoding(folder: Path, side: int, reads: int) -> float:
    """Megabytes a second of decoding alone, from memory."""
    pictures = packed(folder, side)
    data = pictures.raw(np.random.default_rng(0).permutation(len(pictures))[:reads])
    begun = time.perf_counter()
    for one in data:
        read_picture(one, image_size=side)
    return sum(map(len, data)) / 1e6 / (time.perf_counter() - begun)


def measure(root: Path, n: int, side: int, reads: int, rounds: int) -> None:
    make(root / "set", n, side)
    memory = []
    for how, options in (("bytes", []), ("pixels", ["--image-size", str(side)])):
        out = root / how
        words = [sys.executable, "-m", "affekt.cli", "data", "pack", "folder", "--root", str(root / "set")]
        written = peak([*words, "--out", str(out), "--as", how, *options])
        read = read_epoch(out, side, 2)
        size = (out / "pictures.bin").stat().st_size / GIB
        times = [round(seconds) for seconds, _ in (written, read)]
        memory.append((how, *(f"{value:.2f}" for value in (size, written[1], read[1])), *times))
        write(f"{how}: packed and read")
    write(f"{n:,} pictures of {side} x {side}")
    write_table(("pack as", "GiB", "writer's peak, GiB", "reader's peak, GiB", "written in s", "read in s"), memory)
    rows = [speeds(root / how, side, min(reads, n), rounds) for how in ("bytes", "pixels")]
    write(f"{min(reads, n):,} of them shuffled, cold, MB a second")
    write_table(("pack as", "the disk's own", "through the pack", "ratio", "read / asked", "read / asked, pack"), rows)
    table = [comparing(root / how, side, min(reads, n), rounds) for how in ("bytes", "pixels")]
    write("processor time a picture, from memory, microseconds")
    write_table(("pack as", "first read, compared", "read again", "comparing"), table)
    write(f"decoding alone, from memory: {decoding(root / 'bytes', side, min(reads, n)):.1f} MB a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=118_000, help="pictures")
    parser.add_argument("--side", type=int, default=64, help="of a picture, pixels")
    parser.add_argument("--reads", type=int, default=20_000, help="pictures read in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: the system's temporary folder)")
    parser.add_argument("--epoch", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.epoch:
        epoch(args.epoch, args.side, args.workers)
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        measure(Path(folder), args.n, args.side, args.reads, args.rounds)


if __name__ == "__main__":
    main()
