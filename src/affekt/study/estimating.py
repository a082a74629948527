"""Estimating: from a few real steps of a training to what the whole of it takes in seconds and bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from torch import nn

from affekt.recipe import TrainingSettings
from affekt.study.records import parameters
from affekt.training import Trainer
from affekt.training.plan import Plan
from affekt.training.progress import Progress

STEPS = 20
FORWARD = 1 / 3
"""Of a training step's time: what an item costs in evaluation."""

KEPT = {"sgd": 2, "adam": 3, "adamw": 3}
"""Numbers that a checkpoint keeps for each parameter: the weight, and the optimiser's."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one kind of job of a study takes.

    Attributes:
        name: the condition, or what is shared.
        jobs: how many of them.
        folds: trainings of each.
        step: median seconds of an optimiser step.
        seconds: of one job, evaluations included.
        disk: bytes that one leaves, checkpoints included.
        passing: bytes on disk that one holds beyond these while it is at work.
        memory: bytes of its data that the probe did without.
    """

    name: str
    jobs: int
    folds: int = 1
    step: float
    seconds: float
    disk: int
    passing: int = 0
    memory: int = 0


@dataclass
class Clock:
    """A progress that keeps the time of each step."""

    times: list[float] = field(default_factory=list)

    def start(self, *_: object) -> None:
        self.times = [time.perf_counter()]

    def advance(self, *_: object) -> None:
        self.times.append(time.perf_counter())

    def stop(self) -> None:
        """Nothing to close."""

    def say(self, _text: str) -> None:
        """Nothing is shown."""

    def describe(self, _text: str) -> None:
        """Nothing is shown."""

    @property
    def step(self) -> float:
        """Median seconds of a step, the first ones, which allocate and choose kernels, left out."""
        gaps = np.diff(self.times).tolist()
        return statistics.median(gaps[min(3, len(gaps) - 1) :])


def few(items: int, engine: TrainingSettings) -> int:
    """Training items of which the steps are made."""
    return min(items, STEPS * engine.batch_size)


def step_seconds(make: Callable[[TrainingSettings, Progress], Trainer], items: int, engine: TrainingSettings) -> float:
    """Median seconds of a step, by some twenty of them.

    Args:
        make: (settings of a short training, what its trainer tells) -> the trainer.
        items: that it learns from, see :func:`few`.
    """
    epochs = -(-STEPS * engine.batch_size // items)
    short = replace(engine, epochs=epochs, early_stop=None, stop_after=None, tensorboard=False)
    clock = Clock()
    make(short, clock).fit()
    return clock.step


def training_seconds(engine: TrainingSettings, sizes: Mapping[str, int], step: float) -> float:
    """Seconds of a training with its evaluations.

    Args:
        sizes: split -> items; all are scored once at the end.
        step: seconds.
    """
    plan = Plan(items=sizes["train"], batch_size=engine.batch_size, epochs=engine.epochs, seed=0)
    scored = evaluations(engine) * sizes.get("validation", 0) + sum(sizes.values())
    return plan.steps * step + scored * FORWARD * step / min(engine.batch_size, sizes["train"])


def evaluations(engine: TrainingSettings) -> int:
    """How often a training looks at its validation split."""
    return -(-engine.epochs // engine.evaluate_every)


def disk_of(model: nn.Module, engine: TrainingSettings) -> tuple[int, int]:
    """Bytes of a run's model, and of its checkpoints."""
    counted = parameters(model)
    checkpoint = 4 * (KEPT[engine.optimiser] * counted["trainable"] + counted["total"])
    return 4 * counted["total"], engine.keep_checkpoints * checkpoint
