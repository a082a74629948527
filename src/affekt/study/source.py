"""Source: the earlier training that a classifier's backbone starts from - other pictures, or none of the labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affekt.backbones.attention.naming import split_name
from affekt.data import behind, dataset, dataset_folder, open_stimuli
from affekt.data.splits import make_splits, without_groups
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, RecipeError
from affekt.randomness import torch_seed
from affekt.recipe import DataSettings, ModelSettings, Recipe
from affekt.regulation import ClassificationTask, Classifier, RotationTask
from affekt.regulation.rotation_task import TURNS
from affekt.study.building import Data, named
from affekt.study.folder import RunFolder
from affekt.study.running import RunResult, claim, crop_size, once, scored
from affekt.training import Trainer
from affekt.training.distributed import join, together
from affekt.training.planning import check_batch
from affekt.training.precision import choose_device
from affekt.training.task import Task

SOURCE = "source"
"""What ``[model] initial`` says of a classifier that starts from the network of ``[source]``."""

_FOLDERS = ("folder", "table")
"""Readers of anybody's pictures: two folders of these are two sets."""

_NOBODY = np.array([], dtype=np.str_)


def needs_source(recipe: Recipe) -> bool:
    """Whether a run starts from a source network.

    Raises:
        RecipeError: it does, and cannot.
    """
    if recipe.model.initial != SOURCE:
        return False
    if recipe.model.kind != "classifier":
        raise RecipeError(
            f'[model] initial = "source": is for one classifier (kind = "classifier"), not for kind = '
            f'"{recipe.model.kind}"'
        )
    if not recipe.source.model:
        named(recipe.source, "source")
    return True


def trains_source(recipe: Recipe) -> bool:
    """Whether a run waits for a source network to be trained: it starts from one, and none is given.

    Raises:
        RecipeError: it cannot start from one.
    """
    return needs_source(recipe) and not recipe.source.model


def source_part(recipe: Recipe) -> Recipe:
    """What the source network depends on: ``[source]``, the backbone without its attention, the seed - so that networks
    that differ in attention alone start from the same weights. The target stands in it where its pictures are kept out.
    """
    default, model = Recipe(), recipe.model
    size = model.image_size or recipe.target.image_size
    plain = ModelSettings(
        kind="classifier",
        backbone=split_name(model.backbone)[0],
        image_size=size,
        width=model.width,
        dropout=model.dropout,
    )
    return replace(
        default,
        name=recipe.name,
        about=recipe.about,
        seed=recipe.seed,
        source=replace(recipe.source, model=""),
        target=recipe.target if avoids_target(recipe) else default.target,
        model=plain,
    )


def avoids_target(recipe: Recipe) -> bool:
    """Whether pictures that the target validates and tests on are kept out of the source training: where both are the
    same set, always; a pack is the set that was packed (of folders of any pictures, any two are taken for the same)."""
    source, target = recipe.source, recipe.target
    if source.exclude_target or not target.name:
        return source.exclude_target
    own = behind(source).name
    if own != behind(target).name:
        return False
    if any(dataset(settings.name).kind == "pack" for settings in (source, target)):
        return True
    return own not in _FOLDERS or dataset_folder(source).resolve() == dataset_folder(target).resolve()


def source_data(recipe: Recipe, *, data_root: Path | None) -> Data:
    """Training and validation pictures of ``[source]``; its test pictures are not looked at.

    Of the target's set, pictures of the target's test are left out altogether, and those of its validation are not
    trained on.

    Raises:
        DataError, UsageError: as the reader; or no classes where these are the task.
    """
    settings = named(recipe.source, SOURCE)
    stimuli = dataset(settings.name).stimuli(dataset_folder(settings, data_root), settings)
    if recipe.source.task == "rotation":
        stimuli = replace(stimuli, labels=Labels())
    elif stimuli.labels.category is None:
        raise DataError(f'{stimuli.name}: has no classes; write [source] task = "rotation", or a set with classes')
    settings = replace(settings, test=0.0)
    if avoids_target(recipe):
        return _apart(stimuli, settings, recipe, data_root)
    splits = make_splits(stimuli, settings, recipe.seed)
    return Data(splits=splits.parts, notes=splits.notes, missing=splits.missing).without("test")


def _apart(stimuli: Stimuli, settings: DataSettings, recipe: Recipe, data_root: Path | None) -> Data:
    """Training and validation pictures apart from those that the target holds out."""
    target = open_stimuli(named(recipe.target, "target"), data_root=data_root, seed=recipe.seed).parts
    held = {name: target[name].groups if name in target else _NOBODY for name in ("test", "validation")}
    left = without_groups(stimuli, held["test"])
    # Before the limit on training pictures is drawn, which would otherwise fall short of it.
    splits = make_splits(left, replace(settings, train_limit=None), recipe.seed)
    free = replace(without_groups(splits.train, held["validation"]), notes=())
    whole = replace(settings, validation=0.0, folds=None, fold=0)
    train = make_splits(free, whole, recipe.seed)
    out = len(stimuli) - len(left) + len(splits.train) - len(free)
    note = f"{stimuli.name}: {out} of {len(stimuli)} left out of the source training, held out of the target"
    parts = {**splits.parts, "train": train.train}
    return Data(splits=parts, notes=(note, *splits.notes, *train.notes), missing=splits.missing).without("test")


def source_task(recipe: Recipe, classes: tuple[str, ...]) -> Task:
    """The task of ``[source]``; its network starts from the weights that a classifier of the seed has at random.

    Args:
        classes: of the set; not looked at for rotation.
    """
    model, source = recipe.model, recipe.source
    words = TURNS if source.task == "rotation" else classes
    with torch_seed("model", recipe.seed):
        network = Classifier(
            model.backbone,
            len(words),
            model.image_size or recipe.target.image_size,
            width=model.width,
            dropout=model.dropout,
            classes=words,
        )
    smoothing = source.training.label_smoothing
    if source.task == "rotation":
        return RotationTask(network, seed=recipe.seed, label_smoothing=smoothing)
    return ClassificationTask(network, label_smoothing=smoothing)


def train_source(recipe: Recipe, *, out: Path, data_root: Path | None, progress: Any) -> RunResult:
    """Train the network of ``[source]`` in a folder of its own; goes on where it was stopped.

    Raises:
        As :func:`affekt.study.run.train`.
    """
    folder = RunFolder(out)
    device = join(choose_device(recipe.source.training.device))[1]

    def work(followed: Recipe) -> None:
        source = followed.source
        data = together(lambda: source_data(followed, data_root=data_root))
        check_batch(source.training, len(data.splits["train"]), table="source.training")
        task = source_task(followed, data.splits["train"].labels.categories).to(device)
        claim(folder, followed)
        trainer = Trainer(
            task,
            data.splits,
            source.training,
            folder=folder.path,
            augmentation=source.augmentation,
            image_size=crop_size(source, followed.model.image_size),
            seed=followed.seed,
            memory_gib=source.memory,
            workers=source.workers,
            progress=progress,
            recipe_hint="[source.training] learning_rate",
        )
        scored(trainer, folder, recipe=followed, what=SOURCE, data=data, fitted=trainer.fit())

    return once(folder, source_part(recipe), work, engine=lambda followed: followed.source.training)
