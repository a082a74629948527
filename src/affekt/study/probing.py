"""Probing: what a study will cost on this machine, from twenty real steps of each of its trainings."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from affekt.data.stimuli import Stimuli
from affekt.recipe import AugmentationSettings, Recipe, TrainingSettings
from affekt.study.building import affective_data, target_data
from affekt.study.costs import network_task, pretraining_task
from affekt.study.earlier import earlier_classifier
from affekt.study.jobs import Job
from affekt.study.records import parameters
from affekt.study.running import crop_size
from affekt.study.source import source_data, source_task
from affekt.study.study_plan import StudyPlan
from affekt.study.tuning import jobs_of
from affekt.training import Trainer
from affekt.training.plain import plain_batches
from affekt.training.plan import Plan
from affekt.training.task import Task

STEPS = 20
FORWARD = 1 / 3
"""Of a training step's time: what a picture costs in evaluation."""

KEPT = {"sgd": 2, "adam": 3, "adamw": 3}
"""Numbers that a checkpoint keeps for each parameter: the weight, and the optimiser's."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one kind of job of a study takes.

    Attributes:
        name: the condition, or what is shared.
        jobs: how many of them.
        step: median seconds of an optimiser step.
        seconds: of one job, evaluations included.
        disk: bytes that one leaves, checkpoints included.
    """

    name: str
    jobs: int
    step: float
    seconds: float
    disk: int


@dataclass
class _Clock:
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


def probe(planned: StudyPlan, *, data_root: Path | None, said: Callable[[str], None]) -> list[Estimate]:
    """Twenty steps of every kind of training in a study, with random weights; nothing is written.

    Args:
        said: called with the name of each before it is tried.
    """
    kinds: dict[str, list[Job]] = {}
    for job in (*planned.jobs, *jobs_of(planned)):
        kinds.setdefault(_kind(job), []).append(job)
    found = []
    for name, jobs in kinds.items():
        if jobs[0].kind == "ensemble":
            continue
        said(name)
        found.append(_estimate(name, jobs, planned, data_root))
    return found


def _kind(job: Job) -> str:
    """Jobs that differ by seed alone are of one kind; an ensemble's members are baselines."""
    return job.name.rstrip("0123456789 ") if job.folder.startswith("shared/member") else job.name


def peak_memory() -> int:
    """Bytes that this process has held at most; on a GPU, of its memory."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _estimate(name: str, jobs: list[Job], planned: StudyPlan, data_root: Path | None) -> Estimate:
    recipe = jobs[0].recipe
    if recipe.model.kind == "earlier" and jobs[0].kind == "train":
        return _estimate_earlier(name, jobs, data_root)
    if jobs[0].kind == "pretrain":
        data = affective_data(recipe, seed=recipe.seed, data_root=data_root).splits
        task: Task = pretraining_task(recipe, planned.facts)
        engine, augmentation = recipe.emotional.training, recipe.emotional.augmentation
        size = crop_size(recipe.affective, recipe.emotional.image_size)
    elif jobs[0].kind == "source":
        data = source_data(recipe, data_root=data_root).splits
        task = source_task(recipe, data["train"].labels.categories)
        engine, augmentation = recipe.source.training, recipe.source.augmentation
        size = crop_size(recipe.source, recipe.model.image_size)
    else:
        data = target_data(recipe, seed=recipe.seed, data_root=data_root).splits
        task = network_task(_without_model(recipe), planned.facts)
        engine, augmentation = recipe.training, recipe.augmentation
        size = crop_size(recipe.target, recipe.model.image_size)
    step = _step(task, data["train"], engine, augmentation, size)
    plan = Plan(items=len(data["train"]), batch_size=engine.batch_size, epochs=engine.epochs, seed=0)
    scored = engine.epochs * len(data.get("validation", ())) + sum(len(part) for part in data.values())
    seconds = plan.steps * step + scored * FORWARD * step / min(engine.batch_size, len(data["train"]))
    counted = parameters(task.model)
    checkpoint = 4 * (KEPT[engine.optimiser] * counted["trainable"] + counted["total"])
    return Estimate(
        name=name,
        jobs=len(jobs),
        step=step,
        seconds=seconds,
        disk=engine.keep_checkpoints * checkpoint + 4 * counted["total"],
    )


def _estimate_earlier(name: str, jobs: list[Job], data_root: Path | None) -> Estimate:
    """Of an earlier learner, which takes its frozen features once and learns picture by picture."""
    recipe = jobs[0].recipe
    data = target_data(recipe, seed=recipe.seed, data_root=data_root).splits
    train, held = data["train"], len(data.get("validation", ()))
    model = earlier_classifier(recipe, train.labels.categories)
    few = train.take(np.arange(min(len(train), STEPS * recipe.training.batch_size)))
    start = time.perf_counter()
    with torch.no_grad():
        for batch in plain_batches(few, model.image_size, device=model.mean.device):
            model.features(batch)
    looking = (time.perf_counter() - start) / len(few)
    model.fit(few, epochs=2)
    learning = (time.perf_counter() - start - 2 * looking * len(few)) / len(few) / 2
    # Features for the learning, then once more for the scores of all splits.
    looks = len(train) + held + sum(len(part) for part in data.values())
    counted = parameters(model)["total"]
    return Estimate(
        name=name,
        jobs=len(jobs),
        step=max(learning, 0.0),
        seconds=looks * looking + recipe.training.epochs * len(train) * max(learning, 0.0),
        disk=4 * counted + recipe.training.keep_checkpoints * 4 * model.num_learned,
    )


def _without_model(recipe: Recipe) -> Recipe:
    """The recipe whose emotional encoder is made, not read: a study's is not there yet."""
    return (
        replace(recipe, emotional=replace(recipe.emotional, model=""))
        if "shared/" in recipe.emotional.model
        else recipe
    )


def _step(task: Task, train: Stimuli, engine: TrainingSettings, augmentation: AugmentationSettings, size: int) -> float:
    few = train.take(np.arange(min(len(train), STEPS * engine.batch_size)))
    epochs = -(-STEPS * engine.batch_size // len(few))
    clock = _Clock()
    short = replace(engine, epochs=epochs, early_stop=None, stop_after=None, tensorboard=False)
    Trainer(task, {"train": few}, short, augmentation=augmentation, image_size=size, progress=clock).fit()
    return clock.step
