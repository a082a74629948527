"""Probing: what a run on clips takes on this machine, from twenty real steps on clips of its first fold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from affekt.data.audiovisual import Clips
from affekt.data.audiovisual.memory import GIB, most_gib
from affekt.recipe import Recipe, TrainingSettings
from affekt.study.clips.building import engine_of, feed_of
from affekt.study.clips.folds import cross_validated, cut, fold_numbers
from affekt.study.clips.opening import fits, held, listed
from affekt.study.clips.run import trainer_of, weighted_task
from affekt.study.estimating import (
    FORWARD,
    Estimate,
    disk_of,
    evaluations,
    few,
    step_seconds,
    training_seconds,
)
from affekt.study.jobs import Job
from affekt.training import Trainer
from affekt.training.progress import Progress


def estimate_clips(name: str, jobs: Sequence[Job], data_root: Path | None) -> Estimate:
    """What these runs, which differ by seed alone, take: over folds each trains one network after the other."""
    recipe = _random(jobs[0].recipe)
    engine, clips = engine_of(recipe), listed(recipe, data_root=data_root)
    folds = [cut(clips, recipe.clips, fold, recipe.seed).parts for fold in fold_numbers(clips, recipe.clips)]
    sizes = [{split: len(part) for split, part in parts.items()} for parts in folds]
    train = folds[0]["train"]
    some, decoding = _some(train, few(len(train), engine), clips, recipe)
    task, weighting = weighted_task(recipe, clips, train)

    def trainer(short: TrainingSettings, clock: Progress) -> Trainer:
        feed = feed_of(recipe, {"train": some}, seed=recipe.seed)
        return trainer_of(recipe, task, weighting, feed, short, progress=clock)

    step = step_seconds(trainer, len(some), engine)
    seconds = [training_seconds(engine, size, step) for size in sizes]
    seconds += [cosine_seconds(recipe, len(task.loss_names), items=size["train"], step=step) for size in sizes]
    model, checkpoints = disk_of(task.model, engine)
    pooled = cross_validated(recipe.clips)  # which lets go of its folds' checkpoints at the end
    once = fits(clips, recipe.clips) and not recipe.clips.pack
    return Estimate(
        name=name,
        jobs=len(jobs),
        folds=len(sizes),
        step=step,
        seconds=sum(seconds) + decoding * len(clips),
        disk=len(sizes) * model + (0 if pooled else checkpoints),
        passing=len(sizes) * checkpoints if pooled else 0,
        memory=round(GIB * most_gib(len(clips) - len(some), clips.media.reading)) if once else 0,
    )


def _random(recipe: Recipe) -> Recipe:
    """With random weights: those of ImageNet need not be here yet."""
    return replace(recipe, network=replace(recipe.network, initial="random"))


def _some(train: Clips, number: int, clips: Clips, recipe: Recipe) -> tuple[Clips, float]:
    """Training clips of all speakers, read as in a run; and seconds of decoding each, where a run decodes them once."""
    chosen = train.take(np.linspace(0, len(train) - 1, number).astype(np.int64))
    if not recipe.clips.pack and not fits(clips, recipe.clips):
        return chosen, 0.0
    start = time.perf_counter()
    some, _ = held(chosen, recipe.clips)
    return some, 0.0 if recipe.clips.pack else (time.perf_counter() - start) / number


def cosine_seconds(recipe: Recipe, tasks: int, *, items: int, step: float) -> float:
    """Seconds of the cosines between gradients of a training: a forward pass, and a backward pass of each task.

    Args:
        items: training clips.
        step: seconds of one step.
    """
    if not recipe.weighting.gradient_cosine or tasks < 2:
        return 0.0
    engine = engine_of(recipe)
    steps = min(engine.evaluation_batch_size, items) / min(engine.batch_size, items)
    return evaluations(engine) * steps * step * (FORWARD + (1 - FORWARD) * tasks)
