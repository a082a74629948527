"""Pre-training: the affect network of a recipe, trained in a folder of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from affekt.errors import RecipeError
from affekt.perception import AffectTask
from affekt.recipe import Recipe
from affekt.study.building import Data, affect_task, affective_data
from affekt.study.folder import RunFolder
from affekt.study.relabelling import AFFECT, SHUFFLED
from affekt.study.running import RunResult, claim, crop_size, once, scored
from affekt.training import Trainer
from affekt.training.distributed import join, together
from affekt.training.planning import check_batch
from affekt.training.precision import choose_device
from affekt.weighting import check_weighting, create_weighting


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
    _refuse_idle(recipe)
    check_weighting(recipe.emotional.weighting.name, recipe.emotional.weighting.rule_options)
    recipe = own_part(replace(recipe, seed=recipe.seed if seed is None else seed))
    folder = RunFolder(Path(out))
    device = join(choose_device(recipe.emotional.training.device))[1]

    def work(followed: Recipe) -> None:
        data = together(lambda: affective_data(followed, seed=followed.seed, data_root=data_root))
        check_batch(followed.emotional.training, len(data.splits["train"]), table="emotional.training")
        task = affect_task(followed, data.splits["train"].labels, seed=followed.seed)
        task.to(device).start(data.splits["train"])
        trainer = _trainer(followed, task, data, folder, progress)
        fitted = trainer.fit()
        task.calibrate(data.splits["train"])
        scored(trainer, folder, recipe=followed, what="pretrain", data=data, fitted=fitted)

    return once(folder, recipe, work, engine=lambda followed: followed.emotional.training)


def _trainer(recipe: Recipe, task: AffectTask, data: Data, folder: RunFolder, progress: Any) -> Trainer:
    """The folder is claimed once the weighting is known to work."""
    settings, rule = recipe.emotional, recipe.emotional.weighting
    weighting = create_weighting(rule.name, tasks=task.loss_names, **rule.rule_options)
    claim(folder, recipe)
    return Trainer(
        task,
        data.splits,
        settings.training,
        folder=folder.path,
        augmentation=settings.augmentation,
        image_size=crop_size(recipe.affective, settings.image_size),
        weighting=weighting,
        weighting_learning_rate=rule.learning_rate,
        gradient_cosine=rule.gradient_cosine,
        seed=recipe.seed,
        memory_gib=recipe.affective.memory,
        workers=recipe.affective.workers,
        progress=progress,
        recipe_hint="[emotional.training] learning_rate",
    )


def pretrain_for(
    recipe: Recipe, *, out: Path, real: Path | None = None, data_root: Path | None, progress: Any
) -> RunResult:
    """The emotional encoder of a run: :func:`pretrain`, and for a control with exactly the real one's number of steps.

    Args:
        real: folder of the pre-training with the true labels, which says that number; else it is made beside ``out``.
    """
    if not follows_another(recipe):
        return pretrain(recipe, out=out, data_root=data_root, progress=progress)
    true = pretrain(
        true_one(recipe), out=real or out.with_name(f"{out.name}-{AFFECT}"), data_root=data_root, progress=progress
    )
    record = RunFolder(true.folder).result() or {}
    return pretrain(as_long_as(recipe, record), out=out, data_root=data_root, progress=progress)


def follows_another(recipe: Recipe) -> bool:
    """Whether the length of a pre-training is that of another: shuffled labels leave nothing to select by."""
    engine = recipe.emotional.training
    return recipe.affective.labels == SHUFFLED and (engine.select == "best" or engine.early_stop is not None)


def true_one(recipe: Recipe) -> Recipe:
    """The same pre-training with the true labels."""
    return replace(recipe, affective=replace(recipe.affective, labels=AFFECT))


def as_long_as(recipe: Recipe, record: dict[str, Any]) -> Recipe:
    """The recipe with a finished pre-training's number of epochs: those behind the weights that it ended with."""
    engine = recipe.emotional.training
    best = record["best_epoch"] if engine.select == "best" else None
    chosen = replace(engine, select="last", early_stop=None, stop_after=best or record["epochs"])
    return replace(recipe, emotional=replace(recipe.emotional, training=chosen))


def own_part(recipe: Recipe) -> Recipe:
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
        study=default.study,
        conditions={},
        emotional=replace(recipe.emotional, model=""),
    )


def _refuse_idle(recipe: Recipe) -> None:
    """Refuse sections that are the target's in a recipe without one: they would do nothing without a word.

    Raises:
        RecipeError: where their keys belong.
    """
    default = Recipe()
    for section in ("training", "augmentation"):
        if not recipe.target.name and getattr(recipe, section) != getattr(default, section):
            raise RecipeError(f"[{section}]: is for a target, and this recipe has none; write [emotional.{section}]")
