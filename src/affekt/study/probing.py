"""Probing: what a study will cost on this machine, from twenty real steps of each of its trainings."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from affekt.data.stimuli import Stimuli
from affekt.recipe import TrainingSettings
from affekt.study.building import target_data
from affekt.study.earlier import earlier_classifier
from affekt.study.estimating import Estimate, disk_of, few, step_seconds, training_seconds
from affekt.study.jobs import Job
from affekt.study.records import parameters
from affekt.study.study_plan import StudyPlan
from affekt.study.trainings import Training, data_of, kind_of, task_of, training_of
from affekt.study.tuning import jobs_of
from affekt.training import Trainer
from affekt.training.plain import plain_batches
from affekt.training.progress import Progress
from affekt.training.task import Task


def probe(planned: StudyPlan, *, data_root: Path | None, said: Callable[[str], None]) -> list[Estimate]:
    """Twenty steps of every kind of training in a study, with random weights; nothing is written.

    Args:
        said: called with the name of each before it is tried.
    """
    kinds: dict[str, list[Job]] = {}
    for job in (*planned.jobs, *jobs_of(planned)):
        kinds.setdefault(kind_of(job), []).append(job)
    found = []
    for name, jobs in kinds.items():
        if jobs[0].kind == "ensemble":
            continue
        said(name)
        found.append(_estimate(name, jobs, planned, data_root))
    return found


def peak_memory() -> int:
    """Bytes that this process has held at most; on a GPU, of its memory."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _estimate(name: str, jobs: list[Job], planned: StudyPlan, data_root: Path | None) -> Estimate:
    recipe = jobs[0].recipe
    if recipe.of_clips:
        from affekt.study.clips.probing import estimate_clips

        return estimate_clips(name, jobs, data_root)
    if recipe.model.kind == "earlier" and jobs[0].kind == "train":
        return _estimate_earlier(name, jobs, data_root)
    training = training_of(jobs[0])
    data = data_of(recipe, training.section, data_root=data_root).splits
    task, engine = task_of(jobs[0], planned.facts), training.engine
    step = _step(task, data["train"], training)
    model, checkpoints = disk_of(task.model, engine)
    return Estimate(
        name=name,
        jobs=len(jobs),
        step=step,
        seconds=training_seconds(engine, {split: len(part) for split, part in data.items()}, step),
        disk=model + checkpoints,
    )


def _estimate_earlier(name: str, jobs: list[Job], data_root: Path | None) -> Estimate:
    """Of an earlier learner, which takes its frozen features once and learns picture by picture."""
    recipe = jobs[0].recipe
    data = target_data(recipe, seed=recipe.seed, data_root=data_root).splits
    train, held = data["train"], len(data.get("validation", ()))
    model = earlier_classifier(recipe, train.labels.categories)
    some = train.take(np.arange(few(len(train), recipe.training)))
    start = time.perf_counter()
    with torch.no_grad():
        for batch in plain_batches(some, model.image_size, device=model.mean.device):
            model.features(batch)
    looking = (time.perf_counter() - start) / len(some)
    model.fit(some, epochs=2)
    learning = (time.perf_counter() - start - 2 * looking * len(some)) / len(some) / 2
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


def _step(task: Task, train: Stimuli, training: Training) -> float:
    part = train.take(np.arange(few(len(train), training.engine)))

    def trainer(short: TrainingSettings, clock: Progress) -> Trainer:
        return Trainer(
            task,
            {"train": part},
            short,
            augmentation=training.augmentation,
            image_size=training.image_size,
            progress=clock,
        )

    return step_seconds(trainer, len(part), training.engine)
