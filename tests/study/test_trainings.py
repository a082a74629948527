"""Trainings: whose settings and pictures each kind of job trains by."""

from dataclasses import replace

import pytest

from affekt.recipe import AugmentationSettings, DataSettings, Recipe, TrainingSettings
from affekt.study.jobs import Job
from affekt.study.trainings import kind_of, training_of

RECIPE = Recipe(
    affective=DataSettings(name="oasis", image_size=40),
    source=replace(Recipe().source, name="cifar100", image_size=36, training=TrainingSettings(epochs=2)),
    target=DataSettings(name="cifar10", image_size=32),
    emotional=replace(Recipe().emotional, training=TrainingSettings(epochs=3)),
    training=TrainingSettings(epochs=4),
    augmentation=AugmentationSettings(flip=0.25),
)


@pytest.mark.parametrize(
    ("kind", "section", "name", "epochs", "size"),
    [
        ("pretrain", "affective", "oasis", 3, 40),
        ("source", "source", "cifar100", 2, 36),
        ("train", "target", "cifar10", 4, 32),
        ("tune", "target", "cifar10", 4, 32),
    ],
)
def test_a_job_trains_by_the_settings_of_its_section(kind, section, name, epochs, size):
    found = training_of(Job(kind=kind, folder="x", recipe=RECIPE, name="x", seed=0))
    assert (found.section, found.pictures.name, found.engine.epochs, found.image_size) == (section, name, epochs, size)
    assert found.augmentation.flip == (0.25 if section == "target" else 0.5)


def test_members_of_an_ensemble_are_of_one_kind():
    job = Job(kind="train", folder="shared/member-3", recipe=RECIPE, name="baseline 3", seed=3)
    assert kind_of(job) == "baseline"
    assert kind_of(replace(job, folder="runs/x", name="wide-2")) == "wide-2"
