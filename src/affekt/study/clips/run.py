"""Run: one condition with one seed on clips - one split, or each fold in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from affekt.data.audiovisual import Clips, split_clips
from affekt.multimodal import AudioVisualTask, ClipFeed
from affekt.recipe import Recipe, TrainingSettings
from affekt.study.clips.building import engine_of, feed_of, task_of
from affekt.study.clips.cautions import one_class, over_folds
from affekt.study.clips.folds import cross_validated, each_fold, pool, unfinished
from affekt.study.clips.given import given_at_test, score_given
from affekt.study.clips.opening import ClipSet, open_set
from affekt.study.clips.records import write_records
from affekt.study.folder import RunFolder
from affekt.study.results import folds_of
from affekt.study.running import SCORED, RunResult, alone, as_result, claim, done, started, threads
from affekt.training import Trainer
from affekt.training.distributed import barrier, is_main, join, together
from affekt.training.planning import check_batch
from affekt.training.precision import choose_device
from affekt.weighting import Weighting, check_weighting, create_weighting


def train_clips(recipe: Recipe, *, out: Path, what: str, data_root: Path | None, progress: Any) -> RunResult:
    """Train a recipe about clips as it stands, without conditions; goes on where it was stopped.

    With ``folds`` or ``leave_one_out`` and without ``fold``, each fold is trained in ``folds/fold-<k>``, and their test
    predictions, in which each clip stands once, are the run's.

    Args:
        what: the name in its result.

    Raises:
        As :func:`~affekt.study.clips.opening.open_set`, and what the trainer raises.
    """
    begun = time.monotonic()
    folder = RunFolder(out)
    join(choose_device(recipe.training.device))
    if (finished := done(folder, recipe)) is not None:
        return _with_models(finished, recipe)
    recipe = started(folder, recipe)
    check_weighting(recipe.weighting.name, recipe.weighting.rule_options)
    given_at_test(recipe)  # refuses what cannot be
    with alone(folder), threads(recipe.training):
        if (finished := done(folder, recipe)) is not None:  # by another command, a moment ago
            return _with_models(finished, recipe)
        whole = together(lambda: open_set(recipe, data_root=data_root))
        if not cross_validated(recipe.clips):
            _tell(progress, one_class(recipe, split_clips(whole.clips, recipe.clips, recipe.seed).parts))
            _train(recipe, folder, whole, what=what, progress=progress)
        else:
            _train_folds(recipe, folder, whole, what=what, progress=progress)
    return _with_models(as_result(folder, folder.result() or {}, seconds=time.monotonic() - begun), recipe)


def _with_models(result: RunResult, recipe: Recipe) -> RunResult:
    """Over folds there is no one model; each fold has its own."""
    folds = folds_of(result.folder) if cross_validated(recipe.clips) else []
    if not folds:
        return result
    return replace(result, model=folds[0] / "model", models=len(folds))


def _train_folds(recipe: Recipe, folder: RunFolder, whole: ClipSet, *, what: str, progress: Any) -> None:
    folds = each_fold(recipe, folder, whole.clips)
    left = unfinished(folds)
    splits = [split_clips(whole.clips, fold.recipe.clips, recipe.seed) for fold in left]  # what cannot be cut: at once
    if splits:
        weighted_task(recipe, whole.clips, splits[0].train)
        check_batch(recipe.training, min(len(split.train) for split in splits))
    _tell(progress, over_folds([one_class(recipe, split.parts) for split in splits]))
    claim(folder, recipe)
    for fold in left:
        if progress is not None and is_main():
            progress.say(f"fold {fold.number} of {len(folds)}")
        _train(fold.recipe, fold.folder, whole, what=what, progress=progress)
        barrier()
    if is_main():
        pool(folder, folds, recipe=recipe, what=what, whole=whole)
    barrier()


def _tell(progress: Any, lines: Sequence[str]) -> None:
    """What is to be known before the training."""
    if progress is not None and is_main():
        for line in lines:
            progress.say(f"note: {line}")


def weighted_task(recipe: Recipe, clips: Clips, train: Clips) -> tuple[AudioVisualTask, Weighting]:
    """The task and the weighting of its losses; what cannot be is said here, before a folder is claimed."""
    task = task_of(recipe, clips, train, seed=recipe.seed)
    rule = recipe.weighting
    return task, create_weighting(rule.name, tasks=task.loss_names, **rule.rule_options)


def trainer_of(
    recipe: Recipe,
    task: AudioVisualTask,
    weighting: Weighting,
    feed: ClipFeed,
    engine: TrainingSettings,
    *,
    folder: Path | None = None,
    progress: Any = None,
) -> Trainer:
    """The trainer of a recipe's task; without a folder nothing is written."""
    rule = recipe.weighting
    return Trainer(
        task,
        feed,
        engine,
        folder=folder,
        weighting=weighting,
        weighting_learning_rate=rule.learning_rate,
        gradient_cosine=rule.gradient_cosine and len(task.loss_names) > 1,
        seed=recipe.seed,
        progress=progress,
    )


def _train(recipe: Recipe, folder: RunFolder, whole: ClipSet, *, what: str, progress: Any) -> None:
    """One split."""
    splits = split_clips(whole.clips, recipe.clips, recipe.seed)
    task, weighting = weighted_task(recipe, whole.clips, splits.train)
    feed = feed_of(recipe, splits.parts, seed=recipe.seed)
    check_batch(recipe.training, len(splits.train))
    claim(folder, recipe)
    trainer = trainer_of(recipe, task, weighting, feed, engine_of(recipe), folder=folder.path, progress=progress)
    fitted = trainer.fit()
    evaluations = {split: trainer.evaluate(split) for split in SCORED if split in splits}
    notes = one_class(recipe, splits.parts)
    given = score_given(trainer, task, given_at_test(recipe) if "test" in splits else ())
    learned = trainer.evaluate("train").metrics
    if is_main():
        write_records(
            folder,
            recipe=recipe,
            what=what,
            model=task.model,
            whole=whole,
            splits=splits,
            fitted=fitted,
            evaluations=evaluations,
            given=given,
            learned=learned,
            problems=tuple(feed.problems),
            notes=[*notes, *trainer.notes],
        )
    barrier()
