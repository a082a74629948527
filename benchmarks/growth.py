"""What grows with what: python benchmarks/growth.py [--device cuda] [--quick]

Largest memory of training against the batch, the branches and the size of the set; seconds of a step against the
classes and the pixels of a picture, and seconds of whole trainings against seeds. Each with a straight line through its
points (least squares), its slope, R squared and the largest residual as a share of the largest value.

Memory: on the CPU the largest resident memory of a process of its own above that of a training of two pictures (what
torch and its libraries take once); on a GPU the largest that torch allocated. Seconds: the fastest of some rounds
(other work only ever adds to them), each of which goes through all points, every other one backwards. Trained in the
device's own precision and layout (`auto`, channels-last), with SGD and momentum.

Where a line is no line. On the CPU the library of kernels chooses other kernels, with memory of their own, for some
shapes. On a GPU a step of a small network takes as long as it takes to start its kernels, whatever they work on:
seconds are flat until the work is larger than that. A head is a small share of a step until there are thousands of
classes.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from affekt import Classifier, Trainer
from affekt.data.loading import Loader
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask
from affekt.training import freed_memory
from affekt.training.precision import autocast, choose_device, choose_precision

STRAIGHT = 0.05
"""Largest residual of a straight line, as a share of the largest value."""

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training; every line varies one of these."""

    device: torch.device
    network: str = "resnet8"
    batch: int = 32
    branches: int = 1
    classes: int = 10
    side: int = 32
    pictures: int = 2000


@dataclass(frozen=True)
class Line:
    """y = start + slope x, by least squares."""

    start: float
    slope: float
    r_squared: float
    residual: float
    """The largest, as a share of the largest y."""

    @property
    def straight(self) -> bool:
        return self.residual <= STRAIGHT


def fit(x: ArrayLike, y: ArrayLike) -> Line:
    """Through three points or more. R squared of values that are all the same is 1."""
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    slope, start = np.polyfit(xs, ys, 1)
    off = ys - (start + slope * xs)
    spread = ((ys - ys.mean()) ** 2).sum()
    explained = 1.0 if spread == 0 else 1 - (off**2).sum() / spread
    return Line(float(start), float(slope), float(explained), float(np.abs(off).max() / np.abs(ys).max()))


class Branches(nn.Module):
    """So many networks that see the same pictures, each with a loss of its own: pictures -> sum of the losses."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.networks = nn.ModuleList(Classifier(case.network, case.classes, case.side) for _ in range(case.branches))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        losses = [nn.functional.cross_entropy(network(images).float(), labels) for network in self.networks]
        return torch.stack(losses).sum()


def stepping(case: Case) -> Callable[[Tensor, Tensor], None]:
    """A training step on uint8 pictures and their labels."""
    torch.manual_seed(0)
    model = Branches(case).to(case.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, fused=True)
    precision = choose_precision("auto", case.device)

    def step(images: Tensor, labels: Tensor) -> None:
        with autocast(case.device, precision):
            loss = model((images.float() / 255).to(memory_format=torch.channels_last), labels)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def stimuli(case: Case) -> Stimuli:
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (case.pictures, 3, case.side, case.side), dtype=torch.uint8, generator=draw)
    names = np.array([f"{i:06d}" for i in range(case.pictures)])
    labels = Labels(
        categories=tuple(f"class {k}" for k in range(case.classes)),
        category=np.arange(case.pictures, dtype=np.int64) % case.classes,
    )
    return Stimuli(name="random", ids=names, pictures=ArrayPictures(pixels), labels=labels, groups=names)


def few_steps(case: Case, count: int = 3) -> None:
    """Training as far as memory is concerned: a set, its loader, some steps."""
    step = stepping(case)
    batches = [np.arange(i, i + case.batch) % case.pictures for i in range(0, count * case.batch, case.batch)]
    with freed_memory.kept(case.device), Loader(stimuli(case), device=case.device) as loader:
        for _, images, labels in loader.batches(batches):
            step(images, labels["category"])


def resident() -> float:
    """MiB, the largest of this process so far (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def print_peak(case: Case) -> None:
    """In a process of its own: what a training takes beyond one of two pictures."""
    torch.set_num_threads(1)
    few_steps(replace(case, batch=2, branches=1, pictures=2))
    before = resident()
    few_steps(case)
    print(resident() - before)


def peak(case: Case) -> float:
    """MiB at the most."""
    if case.device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(case.device)
        before = torch.cuda.memory_allocated(case.device)
        few_steps(case)
        return (torch.cuda.max_memory_allocated(case.device) - before) / MIB
    words = json.dumps(asdict(replace(case, device=str(case.device))))  # type: ignore[arg-type]
    done = subprocess.run([sys.executable, __file__, "--peak", words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{case}: its process ended with {done.returncode}: {done.stderr[-500:]}")
    return float(done.stdout)


def step_clock(case: Case, repeats: int) -> Callable[[], float]:
    """Milliseconds of a step on a batch that never changes."""
    step = stepping(case)
    draw = torch.Generator().manual_seed(0)
    shape = (case.batch, 3, case.side, case.side)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=draw).to(case.device)
    labels = torch.randint(0, case.classes, (case.batch,), generator=draw).to(case.device)

    def clock() -> float:
        step(images, labels)
        return 1000 * seconds(case.device, lambda: [step(images, labels) for _ in range(repeats)]) / repeats

    return clock


def seconds(device: torch.device, work: Callable[[], Any]) -> float:
    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    begun = now()
    work()
    return now() - begun


def training_clock(case: Case, seeds: int) -> Callable[[], float]:
    """Seconds of so many trainings of one epoch, one after another."""
    data = {"train": stimuli(case)}
    settings = TrainingSettings(epochs=1, batch_size=case.batch, device=str(case.device), select="last")

    def train() -> None:
        for seed in range(seeds):
            task = ClassificationTask(Classifier(case.network, case.classes, case.side))
            Trainer(task, data, settings, augmentation=AugmentationSettings(), seed=seed).fit()

    return lambda: seconds(case.device, train)


def in_turn(clocks: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """The least of each over rounds; one more round before them is not counted."""
    found: list[list[float]] = [[] for _ in clocks]
    for number in range(rounds + 1):
        order = list(range(len(clocks)))
        for which in order if number % 2 == 0 else reversed(order):
            value = clocks[which]()
            if number:
                found[which].append(value)
    return [min(values) for values in found]


def row(what: str, unit: str, x: Sequence[float], y: Sequence[float]) -> None:
    line = fit(x, y)
    points = ", ".join(f"{a:g}: {b:.4g}" for a, b in zip(x, y, strict=True))
    cells = [
        what,
        points,
        f"{line.start:.4g} + {line.slope:.4g} each {unit}",
        f"{line.r_squared:.4f}",
        f"{100 * line.residual:.1f} %",
        "yes" if line.straight else "no",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--network", default="resnet8")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small and one round: to see that it runs")
    parser.add_argument("--peak", help=argparse.SUPPRESS)  # a case; for a process of its own
    args = parser.parse_args()
    if args.peak is not None:
        print_peak(Case(**{**json.loads(args.peak), "device": torch.device("cpu")}))
        return
    device = choose_device(args.device)
    base = Case(device=device, network=args.network, batch=4 if args.quick else 32 if device.type == "cpu" else 128)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {args.threads} thread"
    print(
        f"torch {torch.__version__}, {where}, {args.network}, batch {base.batch}, {choose_precision('auto', device)}\n"
    )
    print("| what | points | line | R squared | largest residual | straight |")
    print("| --- | --- | --- | ---: | ---: | --- |")
    memory(base)
    torch.set_num_threads(args.threads)
    cost(base, 1 if args.quick else args.rounds)


def memory(base: Case) -> None:
    """Lines of the largest memory, MiB."""
    if base.device.type == "cuda":
        few_steps(base)  # what the libraries of the device take for themselves
    batches = [base.batch * k for k in (1, 2, 3, 4)]
    row("memory, MiB, by batch", "picture", batches, [peak(replace(base, batch=n)) for n in batches])
    branches = [1, 2, 3, 4]
    row("memory, MiB, by branches", "branch", branches, [peak(replace(base, branches=n)) for n in branches])
    sizes = [n * base.batch * 100 for n in (1, 4, 8, 12)]
    row("memory, MiB, by pictures in the set", "picture", sizes, [peak(replace(base, pictures=n)) for n in sizes])


def cost(base: Case, rounds: int) -> None:
    """Lines of milliseconds a step, and of seconds by seeds."""
    repeats = 2 if base.device.type == "cpu" else 30
    classes = [10, 2500, 5000, 10_000]
    clocks = [step_clock(replace(base, classes=n), repeats) for n in classes]
    row("ms a step, by classes", "class", classes, in_turn(clocks, rounds))
    sides = [32, 48, 64, 80]
    clocks = [step_clock(replace(base, side=n), repeats) for n in sides]
    row("ms a step, by pixels of a picture", "pixel", [n * n for n in sides], in_turn(clocks, rounds))
    seeds = [1, 2, 3, 4]
    small = replace(base, pictures=(4 if base.device.type == "cpu" else 50) * base.batch)
    row("s of trainings, by seeds", "seed", seeds, in_turn([training_clock(small, n) for n in seeds], rounds))


if __name__ == "__main__":
    main()
