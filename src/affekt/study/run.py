"""Run: one condition with one seed, from a recipe to a folder with weights, log and result."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from affekt.backbones.creating import default_width
from affekt.errors import RecipeError
from affekt.perception import AffectNetwork
from affekt.recipe import DataSettings, Recipe, TrainingSettings
from affekt.saving import load
from affekt.study.building import Data, affect_task, affective_data, target_data, target_task
from affekt.study.conditions import apply_condition
from affekt.study.folder import RunFolder, with_threads
from affekt.study.records import write_records
from affekt.training import Trainer, TrainingResult
from affekt.training.distributed import barrier, is_main, join
from affekt.training.precision import choose_device
from affekt.training.task import Task
from affekt.weighting import create_weighting

SCORED = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run.

    Attributes:
        folder: of the run.
        model: folder that ``affekt.load`` takes.
        metrics: split -> metric -> value; test was scored once, with the weights that validation selected.
        seconds: of this call; a run that was finished before takes none.
        notes: what a reader of the result should know.
    """

    folder: Path
    model: Path
    metrics: Mapping[str, Mapping[str, float | None]]
    seconds: float
    notes: tuple[str, ...] = ()


def pretrain(
    recipe: Recipe,
    *,
    out: Path | str,
    seed: int | None = None,
    data_root: Path | None = None,
    progress: Any = None,
) -> RunResult:
    """Train the affect network of ``[emotional]`` on the stimuli of ``[affective]``; goes on where it was stopped.

    Raises:
        RecipeError: the folder holds another recipe, or the recipe asks for what is not there.
        DataError: the data set is missing or damaged.
        TrainingError: a loss became NaN or infinite, or the disk is full.
    """
    begun = time.monotonic()
    _refuse_idle(recipe)
    recipe = _own_part(replace(recipe, seed=recipe.seed if seed is None else seed, conditions={}))
    folder = RunFolder(Path(out))
    device = join(choose_device(recipe.emotional.training.device))[1]
    if (done := _done(folder, recipe)) is not None:
        return done
    recipe = _started(folder, recipe)
    with _alone(folder), _threads(recipe.emotional.training):
        data = affective_data(recipe, seed=recipe.seed, data_root=data_root)
        task = affect_task(recipe, data.splits["train"].labels, seed=recipe.seed)
        task.to(device).start(data.splits["train"])
        _claim(folder, recipe)
        trainer = Trainer(
            task,
            data.splits,
            recipe.emotional.training,
            folder=folder.path,
            augmentation=recipe.emotional.augmentation,
            image_size=_crop_size(recipe.affective, recipe.emotional.image_size),
            seed=recipe.seed,
            memory_gib=recipe.affective.memory,
            workers=recipe.affective.workers,
            progress=progress,
            recipe_hint="[emotional.training] learning_rate",
        )
        fitted = trainer.fit()
        task.calibrate(data.splits["train"])
        _scored(trainer, folder, recipe=recipe, what="pretrain", data=data, fitted=fitted)
    return _result(folder, folder.result() or {}, seconds=time.monotonic() - begun)


def train(
    recipe: Recipe,
    *,
    out: Path | str,
    condition: str | None = None,
    seed: int | None = None,
    data_root: Path | None = None,
    emotional: Path | str | None = None,
    progress: Any = None,
) -> RunResult:
    """Train one condition on the target; goes on where it was stopped.

    Args:
        emotional: folder of a trained affect network; else ``[emotional] model``; else one is pre-trained in
            ``out/emotional``.

    Raises:
        As :func:`pretrain`, and RecipeError for an unknown condition.
    """
    begun = time.monotonic()
    recipe = apply_condition(replace(recipe, seed=recipe.seed if seed is None else seed), condition)
    if emotional is not None:
        recipe = replace(recipe, emotional=replace(recipe.emotional, model=str(emotional)))
    folder = RunFolder(Path(out))
    join(choose_device(recipe.training.device))
    if (done := _done(folder, recipe)) is not None:
        return done
    recipe = _started(folder, recipe)
    create_weighting(recipe.weighting.name, tasks=("loss",))  # a wrong name is said before anything is written
    default_width(recipe.model.backbone)  # so is that of a network, before weights are fetched
    if recipe.regulation.cached_features and not recipe.regulation.affect_cache:
        raise RecipeError("[regulation] cached_features = true: needs affect_cache = true")
    with _alone(folder), _threads(recipe.training):
        data = target_data(recipe, seed=recipe.seed, data_root=data_root)
        task = _target_task(recipe, folder, data, data_root=data_root, progress=progress)
        trainer = Trainer(
            task,
            data.splits,
            recipe.training,
            folder=folder.path,
            augmentation=recipe.augmentation,
            image_size=_crop_size(recipe.target, recipe.model.image_size),
            weighting=create_weighting(recipe.weighting.name, tasks=task.loss_names),
            weighting_learning_rate=recipe.weighting.learning_rate,
            seed=recipe.seed,
            memory_gib=recipe.target.memory,
            workers=recipe.target.workers,
            progress=progress,
        )
        fitted = trainer.fit()
        _scored(trainer, folder, recipe=recipe, what=condition or "train", data=data, fitted=fitted)
    return _result(folder, folder.result() or {}, seconds=time.monotonic() - begun)


def _alone(folder: RunFolder) -> AbstractContextManager[None]:
    """The folder for this run alone; of several processes that share a run, the first holds the lock for all."""
    return folder.locked() if is_main() else nullcontext()


def _claim(folder: RunFolder, recipe: Recipe) -> None:
    """Claim the folder once for all processes, after every one of them has looked at it."""
    barrier()
    if is_main():
        folder.claim(recipe)
    barrier()


def _crop_size(source: DataSettings, own: int | None) -> int:
    """Side of the training crops: cut from the pictures as read; a larger network scales them up for itself."""
    return min(source.image_size, own or source.image_size)


@contextmanager
def _threads(engine: TrainingSettings) -> Iterator[None]:
    """The run's number of CPU threads, which is part of its identity; the process's own afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(engine.threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _refuse_idle(recipe: Recipe) -> None:
    """Refuse sections that are the target's in a recipe without one: they would do nothing without a word.

    Raises:
        RecipeError: where their keys belong.
    """
    default = Recipe()
    for section in ("training", "augmentation"):
        if not recipe.target.name and getattr(recipe, section) != getattr(default, section):
            raise RecipeError(f"[{section}]: is for a target, and this recipe has none; write [emotional.{section}]")


def _own_part(recipe: Recipe) -> Recipe:
    """A pre-training's recipe without what it does not depend on, so that other targets may share its folder."""
    default = Recipe()
    target = recipe.target if recipe.affective.exclude_target else default.target
    return replace(
        recipe,
        target=target,
        model=default.model,
        regulation=default.regulation,
        weighting=default.weighting,
        augmentation=default.augmentation,
        training=default.training,
        emotional=replace(recipe.emotional, model=""),
    )


def _done(folder: RunFolder, recipe: Recipe) -> RunResult | None:
    """The result of a run that is finished already; None where there is something to do."""
    record = folder.result() if folder.held(recipe) is not None else None
    return None if record is None else _result(folder, record, seconds=0.0)


def _started(folder: RunFolder, recipe: Recipe) -> Recipe:
    """The recipe that the run follows: the folder's own on a resume, else this one with the machine's threads."""
    return folder.held(recipe) or with_threads(recipe, torch.get_num_threads())


def _scored(
    trainer: Trainer, folder: RunFolder, *, recipe: Recipe, what: str, data: Data, fitted: TrainingResult
) -> None:
    """Score validation and, once, test, with the weights that validation selected; write what came out."""
    evaluations = {split: trainer.evaluate(split) for split in SCORED if split in data.splits}
    if is_main():
        write_records(
            folder,
            recipe=recipe,
            what=what,
            model=trainer.task.model,
            data=data,
            fitted=fitted,
            evaluations=evaluations,
        )
    barrier()


def _target_task(recipe: Recipe, folder: RunFolder, data: Data, *, data_root: Path | None, progress: Any) -> Task:
    """The task on the target; a regulated one with its emotional encoder, pre-trained here if need be."""
    train_split = data.splits["train"]
    if recipe.model.kind == "classifier":
        task = target_task(recipe, train_split, None, seed=recipe.seed)
        _claim(folder, recipe)
        return task
    settings = recipe.emotional
    if settings.model and not recipe.regulation.pretrained:
        raise RecipeError(
            f"[regulation] pretrained = false, but [emotional] model = {settings.model!r} is trained; leave the model "
            "out, and an encoder with the initial weights of [emotional] is made"
        )
    if settings.model:
        emotional = load(settings.model)
        if not isinstance(emotional, AffectNetwork):
            raise RecipeError(
                f"[emotional] model = {settings.model!r}: a {type(emotional).__name__}, not an affect network"
            )
        task = target_task(recipe, train_split, emotional, seed=recipe.seed)
        _claim(folder, recipe)
        return task
    affective = affective_data(recipe, seed=recipe.seed, data_root=data_root).splits["train"]
    untrained = affect_task(recipe, affective.labels, seed=recipe.seed)
    # Built once before the pre-training, so that an influence or backbone that cannot work is refused at once.
    task = target_task(recipe, train_split, untrained.model, seed=recipe.seed)
    _claim(folder, recipe)
    if not recipe.regulation.pretrained:
        untrained.calibrate(affective)
        return target_task(recipe, train_split, untrained.model, seed=recipe.seed)
    pretrained = pretrain(recipe, out=folder.path / "emotional", data_root=data_root, progress=progress)
    return target_task(recipe, train_split, load(pretrained.model), seed=recipe.seed)


def _result(folder: RunFolder, record: Mapping[str, Any], *, seconds: float) -> RunResult:
    notes = tuple(record["notes"])
    return RunResult(folder=folder.path, model=folder.model, metrics=record["metrics"], seconds=seconds, notes=notes)
