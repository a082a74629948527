"""Trainings: what each job of a study trains - its network, its settings and the pictures that it learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affekt.recipe import AugmentationSettings, DataSettings, Recipe, TrainingSettings
from affekt.study.building import Data, affective_data, target_data
from affekt.study.costs import network_task, pretraining_task
from affekt.study.facts import Facts, source_key
from affekt.study.jobs import Job
from affekt.study.running import crop_size
from affekt.study.source import source_data, source_task
from affekt.training.task import Task

SECTIONS = {"pretrain": "affective", "source": "source"}
"""Kind of a job -> section of its pictures; of the others it is ``target``."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of one.

    Attributes:
        section: of the recipe, that names its pictures.
        image_size: side of the training crops, pixels.
    """

    section: str
    engine: TrainingSettings
    augmentation: AugmentationSettings
    pictures: DataSettings
    image_size: int


def training_of(job: Job) -> Training:
    """The settings by which a job trains."""
    recipe, section = job.recipe, SECTIONS.get(job.kind, "target")
    own: Any = {"affective": recipe.emotional, "source": recipe.source}.get(section, recipe)
    pictures: DataSettings = getattr(recipe, section)
    size = recipe.emotional.image_size if section == "affective" else recipe.model.image_size
    return Training(
        section=section,
        engine=own.training,
        augmentation=own.augmentation,
        pictures=pictures,
        image_size=crop_size(pictures, size),
    )


def data_of(recipe: Recipe, section: str, *, data_root: Path | None) -> Data:
    """The pictures of a section.

    Raises:
        DataError, UsageError: as their reader.
    """
    if section == "source":
        return source_data(recipe, data_root=data_root)
    return (affective_data if section == "affective" else target_data)(recipe, seed=recipe.seed, data_root=data_root)


def task_of(job: Job, facts: Facts) -> Task:
    """What a job trains, with random weights; of an earlier learner a classifier of its backbone."""
    recipe = job.recipe
    if job.kind == "pretrain":
        return pretraining_task(recipe, facts)
    if job.kind == "source":
        return source_task(recipe, facts.sources[source_key(recipe)].classes)
    if "shared/" in recipe.emotional.model:  # a study's encoder is not there yet
        recipe = replace(recipe, emotional=replace(recipe.emotional, model=""))
    if recipe.model.kind == "earlier":
        recipe = replace(recipe, model=replace(recipe.model, kind="classifier"))
    return network_task(recipe, facts)


def kind_of(job: Job) -> str:
    """Name of what is trained: jobs that differ by seed alone share it; an ensemble's members are baselines."""
    return job.name.rstrip("0123456789 ") if job.folder.startswith("shared/member") else job.name
