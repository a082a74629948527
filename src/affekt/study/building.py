"""Building: the data, networks and tasks that a recipe describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from affekt.data import dataset, dataset_folder, open_stimuli
from affekt.data.splits import cut_off, make_splits, without_groups
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, RecipeError
from affekt.perception import AffectNetwork, AffectTask
from affekt.randomness import torch_seed
from affekt.recipe import DataSettings, Recipe
from affekt.regulation import ClassificationTask, Classifier, EmotionalRegulation, NoEmotion, RegulationTask
from affekt.study.relabelling import relabelled
from affekt.training.task import Task

if TYPE_CHECKING:
    from affekt.perception.network import AffectNetwork as Network


@dataclass(frozen=True, kw_only=True)
class Data:
    """The splits of a run: ``"train"``, ``"validation"``, ``"test"`` and, where asked for, ``"held-out"``."""

    splits: Mapping[str, Stimuli]
    notes: tuple[str, ...]
    missing: int

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(stimuli) for name, stimuli in self.splits.items()}

    def without(self, split: str) -> Data:
        """The same, but for one split."""
        return replace(self, splits={name: part for name, part in self.splits.items() if name != split})


def affective_data(recipe: Recipe, *, seed: int, data_root: Path | None) -> Data:
    """The affective stimuli; with ``exclude_target``, without the identities of the target's validation and test.

    Raises:
        DataError, UsageError: as the reader; or nothing is left after the exclusion.
    """
    settings = named(recipe.affective, "affective")
    stimuli = dataset(settings.name).stimuli(dataset_folder(settings, data_root), settings)
    notes: tuple[str, ...] = ()
    if settings.exclude_target:
        target = open_stimuli(named(recipe.target, "target"), data_root=data_root, seed=seed)
        held = np.concatenate([part.groups for name, part in target.parts.items() if name != "train"])
        left = without_groups(stimuli, held)
        notes = (f"{stimuli.name}: {len(stimuli) - len(left)} of {len(stimuli)} left out, held out of the target",)
        stimuli = left
    splits = make_splits(stimuli, settings, seed)
    parts = relabelled(splits.parts, settings.labels, seed=seed)
    return Data(splits=parts, notes=(*notes, *splits.notes), missing=splits.missing)


def target_data(recipe: Recipe, *, seed: int, data_root: Path | None) -> Data:
    """The task's pictures; where the regulator learns on held-out pictures, those are cut from train by seed."""
    splits = open_stimuli(named(recipe.target, "target"), data_root=data_root, seed=seed)
    if splits.train.labels.category is None:
        raise DataError(f"{splits.train.name}: has no classes; [target] needs a set with classes")
    parts = dict(splits.parts)
    notes = list(splits.notes)
    regulated = recipe.model.kind == "regulated"
    if regulated and recipe.regulation.regulator_data == "held-out":
        parts["train"], parts["held-out"] = cut_off(
            splits.train, recipe.regulation.held_out, seed=seed, purpose="held-out regulator"
        )
        notes.append(f"{len(parts['held-out'])} training pictures held out from the branches for the regulator")
    return Data(splits=parts, notes=tuple(notes), missing=splits.missing)


def named(settings: DataSettings, section: str) -> DataSettings:
    """The settings of a section that names a data set.

    Raises:
        RecipeError: it does not.
    """
    if not settings.name:
        raise RecipeError(f"[{section}] name: missing; name a data set, see: affekt data list")
    return settings


def affect_network(recipe: Recipe, labels: Labels, *, seed: int) -> Network:
    """The affect network of ``[emotional]``, with random parts fixed by ``seed``.

    Raises:
        RecipeError: no head is asked for, or one that the labels cannot teach.
    """
    settings = recipe.emotional
    heads: dict[str, tuple[str, ...]] = {}
    if settings.categories != "none":
        if not labels.categories:
            raise RecipeError(f'[emotional] categories = "{settings.categories}": {recipe.affective.name} has none')
        heads["categories"] = labels.categories
    absent = [name for name in settings.ratings if name not in labels.ratings]
    if absent:
        known = ", ".join(labels.ratings) or "no ratings"
        raise RecipeError(f"[emotional] ratings: {recipe.affective.name} has no {', '.join(absent)}; it has {known}")
    if settings.ratings:
        heads["ratings"] = tuple(settings.ratings)
    if not heads:
        raise RecipeError('[emotional]: no head; set ratings = ["valence", "arousal"] or categories = "cross-entropy"')
    scale = (labels.scale.low, labels.scale.high) if labels.scale and settings.ratings else None
    with torch_seed("affect network", seed):
        return AffectNetwork(
            settings.backbone,
            heads,
            settings.image_size or recipe.affective.image_size,
            initial=settings.initial,
            dropout=settings.dropout,
            scale=scale,
            ratings_loss=settings.ratings_loss,
        )


def affect_task(recipe: Recipe, labels: Labels, *, seed: int) -> AffectTask:
    """The pre-training task of ``[emotional]`` on training ``labels``."""
    settings = recipe.emotional
    return AffectTask(
        affect_network(recipe, labels, seed=seed),
        labels,
        categories=settings.categories,
        ratings_loss=settings.ratings_loss,
        trainable=settings.trainable,
        layer_decay=settings.layer_decay,
        label_smoothing=settings.training.label_smoothing,
        head_start=settings.head_start,
        batch_norm=settings.batch_norm,
    )


def target_task(
    recipe: Recipe,
    classes: tuple[str, ...],
    emotional: Network | NoEmotion | None,
    *,
    seed: int,
    gate_inputs: int | None = None,
    cache_folder: Path | None = None,
    with_head: bool = True,
) -> Task:
    """The task of ``[model]``: one classifier, or Emotional Regulation around ``emotional``.

    Args:
        classes: names of the target's classes.
        with_head: whether a classifier that starts from somebody's classifier may take its head.
        gate_inputs: numbers that the regulator ``features`` sees.
        cache_folder: where an affect cache is shared with other runs.

    Raises:
        RecipeError: affect that is to be permuted, and a regulator without affect; a frozen part of a regulated model.
    """
    model, regulation = recipe.model, recipe.regulation
    if model.kind != "classifier" and model.trainable != "all":
        raise RecipeError(f'[model] trainable = "{model.trainable}": is for kind = "classifier"; leave it out')
    image_size = model.image_size or recipe.target.image_size
    smoothing = recipe.training.label_smoothing
    with torch_seed("model", seed):
        if model.kind == "classifier":
            classifier = Classifier(
                model.backbone,
                len(classes),
                image_size,
                initial=model.initial,
                with_head=with_head,
                width=model.width,
                dropout=model.dropout,
                classes=classes,
            )
            return ClassificationTask(classifier, label_smoothing=smoothing, trainable=model.trainable)
        assert emotional is not None
        regulated = EmotionalRegulation(
            model.backbone,
            len(classes),
            image_size,
            emotional,
            influence=regulation.influence,
            regulator=regulation.regulator,
            mix=regulation.mix,
            initial=model.initial,
            width=model.width,
            start=regulation.start,
            constant=regulation.constant,
            gate_inputs=gate_inputs,
            emotional_mode="frozen" if regulation.emotional == "none" else regulation.emotional,
            losses=regulation.losses,
            dropout=model.dropout,
            classes=classes,
        )
    if regulation.permute_affect and not regulated.regulator.uses_affect:
        raise RecipeError(f'[regulation] permute_affect: the regulator "{regulation.regulator}" uses no affect')
    return RegulationTask(
        regulated,
        label_smoothing=smoothing,
        affect_cache=regulation.affect_cache,
        cached_features=regulation.cached_features,
        cache_gib=recipe.target.memory,
        cache_folder=cache_folder,
        permute_affect=regulation.permute_affect,
        seed=seed,
    )
