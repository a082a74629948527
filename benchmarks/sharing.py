"""Trainings that share one device: python benchmarks/sharing.py [--device cuda] [--at-once 1 2 4 8] [--quick]

k processes, each with affekt's trainer and a network of its own, make the same number of steps at the same time; all
their pictures a second against those of one alone, which is what k trainings one after another give. What a study does
with `affekt study --workers k --gpus 0`. Processes start once; they begin the steps that count together, after a
warm-up (kernels are chosen, graphs captured), and the clock runs from the first one's first of them to the last one's
last. Data, augmentation and log lines are in it; checkpoint and validation are not. Medians over rounds, every other
round backwards.

--compile is the trainer's setting of that name, in several variants if asked: off, on, or a mode that it knows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from peer_data import made_up

from affekt import Classifier, Trainer
from affekt.data.stimuli import Stimuli
from affekt.recipe import AugmentationSettings, TrainingSettings
from affekt.regulation import ClassificationTask
from affekt.study.executors.local import cores
from affekt.training.precision import choose_device, choose_precision
from affekt.training.progress import NoProgress

PICTURES = 2048
"""Different ones; an epoch goes through them several times over."""

PATIENCE = 300.0
"""Seconds that processes wait for each other."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What each process does.

    Attributes:
        warm_up, steps: optimiser steps before the clock runs, and while it does.
        compiled: the trainer's setting `compile`.
        threads: of each process on the CPU; 0: its share of the cores.
    """

    network: str
    batch: int
    warm_up: int
    steps: int
    device: str
    compiled: Any = False
    threads: int = 0
    seed: int = 0


@dataclass
class Clock(NoProgress):
    """Told of each step by the trainer; meets the others after the warm-up and notes when the counted steps began and
    ended, in seconds of a clock that all processes share."""

    work: Work
    meet: Callable[[], Any]
    done: int = 0
    times: list[float] = field(default_factory=list)

    def advance(self, _items: int) -> None:
        self.done += 1
        if self.done == self.work.warm_up:
            self._wait()
            self.meet()
            self.times.append(time.monotonic())
        if self.done == self.work.warm_up + self.work.steps:
            self._wait()
            self.times.append(time.monotonic())

    def _wait(self) -> None:
        if self.work.device.startswith("cuda"):
            torch.cuda.synchronize()


def pictures(n: int, seed: int) -> Stimuli:
    """n in an epoch, which share memory."""
    few = made_up(min(n, PICTURES), seed=seed)
    names = np.array([f"{i:06d}" for i in range(n)])
    rows = np.arange(n) % len(few)
    return Stimuli(
        name="made up", ids=names, pictures=few.pictures.take(rows), labels=few.labels.take(rows), groups=names
    )


def train(work: Work, meet: Callable[[], Any]) -> tuple[float, float]:
    """Begin and end of the counted steps of one training."""
    torch.set_num_threads(work.threads)
    torch.manual_seed(work.seed)
    settings = TrainingSettings(
        epochs=1,
        batch_size=work.batch,
        learning_rate=0.01,
        device=work.device,
        compile=work.compiled,
        select="last",
    )
    clock = Clock(work, meet)
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            ClassificationTask(Classifier(work.network, 10, 32)),
            {"train": pictures((work.warm_up + work.steps) * work.batch, seed=1)},
            settings,
            folder=folder,
            augmentation=AugmentationSettings(crop="pad", padding=4),
            seed=work.seed,
            progress=clock,
        ).fit()
    begun, ended = clock.times
    return begun, ended


def serve(orders: Connection, barriers: Mapping[int, Any]) -> None:
    """In each process: trainings as they are ordered, until None is."""
    orders.send("ready")
    while (order := orders.recv()) is not None:
        work, together = order
        orders.send(train(work, partial(barriers[together].wait, PATIENCE)))


class Processes:
    """As many as train at once at the most; those that have nothing to do wait."""

    def __init__(self, at_once: Sequence[int]) -> None:
        context = multiprocessing.get_context("spawn")
        self._barriers = {k: context.Barrier(k) for k in at_once}  # kept: gone here, they cannot be found there
        self._ends, self._started = [], []
        for _ in range(max(at_once)):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, self._barriers), daemon=True)
            process.start()
            there.close()  # so that a process that died is heard of
            self._ends.append(here)
            self._started.append(process)
        for end in self._ends:
            end.recv()  # what the others still import would slow the first trainings

    def rate(self, works: Sequence[Work]) -> float:
        """Pictures a second of all works, done at once."""
        for end, work in zip(self._ends, works, strict=False):
            end.send((work, len(works)))
        times = [end.recv() for end, _ in zip(self._ends, works, strict=False)]
        taken = max(ended for _, ended in times) - min(begun for begun, _ in times)
        return float(sum(work.steps * work.batch for work in works) / taken)

    def close(self) -> None:
        for end, process in zip(self._ends, self._started, strict=True):
            with suppress(BrokenPipeError):  # it died, and has said so above
                end.send(None)
            process.join(PATIENCE)


def measure(
    rate: Callable[[Sequence[Work]], float], one: Work, at_once: Sequence[int], rounds: int, seconds: float
) -> list[dict[int, float]]:
    """Pictures a second by k, a dictionary a round; at least one round, in about so many seconds."""
    found: list[dict[int, float]] = []
    begun = time.monotonic()
    for index in range(rounds):
        spent = time.monotonic() - begun
        if index and spent * (index + 1) / index > seconds:
            break
        order = at_once if index % 2 == 0 else tuple(reversed(at_once))
        found.append({k: rate(shared(one, k)) for k in order})
    return found


def shared(one: Work, k: int) -> list[Work]:
    """k of a work, with seeds of their own and their share of the cores."""
    return [replace(one, seed=seed, threads=one.threads or max(1, cores() // k)) for seed in range(k)]


def table(found: Sequence[Mapping[int, float]], at_once: Sequence[int]) -> None:
    print("\n| at once | pictures/s, all | over one after another | a step is so many times as long |")
    print("| ---: | ---: | --- | ---: |")
    for k in at_once:
        gains = [done[k] / done[1] for done in found]
        gain = statistics.median(gains)
        said = f"{gain:.2f} ({min(gains):.2f} .. {max(gains):.2f})"
        print(f"| {k} | {statistics.median(done[k] for done in found):.0f} | {said} | {k / gain:.2f} |")
    print(f"Medians over {len(found)} round{'s' * (len(found) > 1)}.", flush=True)


def setting(said: str) -> Any:
    """`off` and `on` as the trainer's setting has them; any other word as it is."""
    return {"off": False, "on": True}.get(said, said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--network", nargs="+", default=["resnet8"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=20)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--threads", type=int, default=0, help="of each process; absent: its share of the cores")
    parser.add_argument("--compile", nargs="+", default=["off"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3600.0, help="about how long the rounds may take")
    parser.add_argument("--quick", action="store_true", help="few steps, one round: to see that it runs")
    args = parser.parse_args()
    if args.quick:
        args.batch, args.steps, args.warm_up, args.rounds = 8, 4, 2, 1
    at_once = sorted({1, *args.at_once})
    device = choose_device(args.device)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"torch {torch.__version__}, {where}, {cores()} cores, {choose_precision('auto', device)}")
    cases = [(network, said) for network in args.network for said in args.compile]
    with ExitStack() as stack:
        processes = Processes(at_once)
        stack.callback(processes.close)
        for network, said in cases:
            one = Work(
                network=network,
                batch=args.batch,
                warm_up=args.warm_up,
                steps=args.steps,
                device=str(device),
                compiled=setting(said),
                threads=args.threads,
            )
            print(f"\n{network}, batch {args.batch}, {args.steps} steps each, compile {said}")
            table(measure(processes.rate, one, at_once, args.rounds, args.seconds / len(cases)), at_once)


if __name__ == "__main__":
    main()
