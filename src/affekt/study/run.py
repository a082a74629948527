"""Run: one condition with one seed, from a recipe to a folder with weights, log and result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from affekt.backbones.creating import default_width
from affekt.errors import RecipeError, UsageError
from affekt.recipe import Recipe
from affekt.study.building import Data, target_data
from affekt.study.conditions import apply_condition
from affekt.study.earlier import train_earlier
from affekt.study.folder import RunFolder
from affekt.study.preparing import prepared_task
from affekt.study.pretraining import pretrain
from affekt.study.running import RunResult, claim, crop_size, once, scored
from affekt.study.source import needs_source
from affekt.training import Trainer
from affekt.training.distributed import join, together
from affekt.training.planning import check_batch
from affekt.training.precision import choose_device
from affekt.training.task import Task
from affekt.weighting import check_weighting, create_weighting

__all__ = ["RunResult", "pretrain", "train", "train_resolved"]


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
        As :func:`pretrain`, and RecipeError for an unknown condition, or one that does not apply here.
    """
    recipe = replace(recipe, seed=recipe.seed if seed is None else seed)
    if emotional is not None:
        if recipe.of_clips:
            raise UsageError("--emotional: is for pictures; a recipe about clips has no emotional encoder")
        recipe = replace(recipe, emotional=replace(recipe.emotional, model=str(emotional)))
    resolved = apply_condition(recipe, condition, data_root=data_root)
    return train_resolved(resolved, out=Path(out), what=condition or "train", data_root=data_root, progress=progress)


def train_resolved(
    recipe: Recipe,
    *,
    out: Path,
    what: str,
    data_root: Path | None,
    progress: Any,
    tested: bool = True,
    cache_folder: Path | None = None,
) -> RunResult:
    """Train a recipe as it stands, without conditions.

    Args:
        what: the name in its result.
        cache_folder: where an affect cache is shared with other runs.
        tested: whether test pictures are scored; where something is chosen, they are not even looked at.
    """
    if recipe.of_clips:
        from affekt.study.clips.run import train_clips

        return train_clips(recipe, out=out, what=what, data_root=data_root, progress=progress)
    needs_source(recipe)  # a model that cannot start from one is refused before anything is read
    if recipe.model.kind == "earlier":
        return train_earlier(recipe, out=out, what=what, data_root=data_root)
    folder = RunFolder(out)
    join(choose_device(recipe.training.device))

    def work(followed: Recipe) -> None:
        data = together(lambda: target_data(followed, seed=followed.seed, data_root=data_root))
        data = data if tested else data.without("test")
        check_batch(followed.training, len(data.splits["train"]))
        task = prepared_task(
            followed,
            data.splits["train"].labels.categories,
            folder.path,
            claim=lambda: claim(folder, followed),
            data_root=data_root,
            progress=progress,
            cache_folder=cache_folder,
        )
        trainer = _trainer(followed, task, data, folder, progress)
        scored(trainer, folder, recipe=followed, what=what, data=data, fitted=trainer.fit())

    return once(folder, recipe, work, engine=lambda followed: followed.training, check=_check)


def _check(recipe: Recipe) -> None:
    """Say what is wrong with a recipe before anything is written, and before weights are fetched.

    Raises:
        UsageError: an unknown weighting or network.
        RecipeError: settings that exclude each other.
    """
    for rule in (recipe.weighting, recipe.emotional.weighting):
        check_weighting(rule.name, rule.rule_options)
    default_width(recipe.model.backbone)
    if recipe.regulation.cached_features and not recipe.regulation.affect_cache:
        raise RecipeError("[regulation] cached_features = true: needs affect_cache = true")


def _trainer(recipe: Recipe, task: Task, data: Data, folder: RunFolder, progress: Any) -> Trainer:
    rule = recipe.weighting
    return Trainer(
        task,
        data.splits,
        recipe.training,
        folder=folder.path,
        augmentation=recipe.augmentation,
        image_size=crop_size(recipe.target, recipe.model.image_size),
        weighting=create_weighting(rule.name, tasks=task.loss_names, **rule.rule_options),
        weighting_learning_rate=rule.learning_rate,
        gradient_cosine=rule.gradient_cosine,
        seed=recipe.seed,
        memory_gib=recipe.target.memory,
        workers=recipe.target.workers,
        progress=progress,
    )
