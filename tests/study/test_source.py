"""A classifier that starts from a source training: what is shared, what is kept out, what it starts with."""

import json

import numpy as np
import pytest
import small_recipe
import torch

import affekt
from affekt.errors import DataError, RecipeError, UsageError
from affekt.recipe import Recipe, from_dict, load_recipe, override, to_toml
from affekt.study import train
from affekt.study.building import target_data
from affekt.study.costs import cost_of
from affekt.study.facts import read_facts
from affekt.study.jobs import plan_jobs
from affekt.study.source import source_data, source_part

SOURCE = [
    "model.kind=classifier",
    "model.initial=source",
    "source.name=folder",
    "source.image_size=32",
    "source.training.epochs=1",
    "source.training.batch_size=16",
    "source.training.precision=fp32",
    "augmentation.mixup=0.0",
    *small_recipe.ONE_THREAD,
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    return override(load_recipe(small_recipe.write(root, epochs=1)), [*SOURCE, f'source.root="{root}/target"'])


def changed(recipe, *changes):
    return override(recipe, changes)


def test_a_recipe_without_a_source_is_written_as_before():
    assert "source" not in to_toml(Recipe()).replace('initial = "random"', "")
    assert "trainable" not in to_toml(Recipe()).split("[model]")[1].split("[regulation]")[0]


def test_a_recipe_with_a_source_comes_back(small):
    import tomllib

    held = changed(small, "model.trainable=1", "target.without_class=drop")
    assert from_dict(Recipe, tomllib.loads(to_toml(held))) == held


def test_a_source_that_cannot_be_trained_is_said_before_anything_is_written(small, tmp_path):
    with pytest.raises(UsageError, match=r"source\.training\.accumulate = 17: more parts than 16 items a batch"):
        train(changed(small, "source.training.accumulate=17"), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_networks_that_differ_in_attention_share_a_source(small):
    conditions = {
        name: changed(small, f"model.backbone={backbone}")
        for name, backbone in (("plain", "resnet8"), ("sagan", "resnet8+sagan"), ("other", "resnet14"))
    } | {"frozen": changed(small, "model.trainable=head")}
    jobs = plan_jobs(conditions, [0, 1])
    sources = [job for job in jobs if job.kind == "source"]
    needs = {job.name: job.needs for job in jobs if job.kind == "train" and job.seed == 0}
    assert len(sources) == 4  # two backbones, two seeds
    assert needs["plain"] == needs["sagan"] == needs["frozen"] != needs["other"]
    assert all(job.recipe.source.model.endswith("/model") for job in jobs if job.kind == "train")


def test_the_source_does_not_depend_on_the_targets_training(small):
    assert source_part(small) == source_part(changed(small, "training.epochs=9", "model.initial=random"))
    assert source_part(small) != source_part(changed(small, "source.task=rotation"))


def test_pictures_that_the_target_holds_out_are_not_trained_on(small):
    target = target_data(small, seed=0, data_root=None).splits
    held = {*target["test"].ids.tolist(), *target["validation"].ids.tolist()}
    found = source_data(small, data_root=None)
    assert not held & {*found.splits["train"].ids.tolist()}
    assert not {*target["test"].ids.tolist()} & {*found.splits["validation"].ids.tolist()}
    assert "test" not in found.splits
    assert f"{len(target['test'])}" and any("held out of the target" in note for note in found.notes)
    limited = source_data(changed(small, "source.train_limit=30"), data_root=None)
    assert len(limited.splits["train"]) == 30  # not 30 less those that were left out


def test_another_folder_is_another_set(small, tmp_path):
    (tmp_path / "copy").mkdir()
    small_recipe.write(tmp_path / "copy", epochs=1)
    other = changed(small, f'source.root="{tmp_path}/copy/target"')
    assert source_part(other).target == Recipe().target
    assert len(source_data(other, data_root=None).splits["train"]) > len(
        source_data(small, data_root=None).splits["train"]
    )


def test_rotation_uses_no_label(small):
    found = source_data(changed(small, "source.task=rotation"), data_root=None)
    assert all(part.labels.columns() == {} for part in found.splits.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["model.kind=regulated"], 'kind = "classifier"'),
        (["model.kind=earlier"], 'kind = "classifier"'),
        (["source.name="], r"\[source\] name: missing"),
        (["model.kind=regulated", "model.initial=random", "model.trainable=head"], r"\[model\] trainable"),
    ],
)
def test_what_cannot_start_from_a_source_is_refused(small, tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        train(changed(small, *changes), out=tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()


def test_a_set_without_classes_teaches_rotation_alone(small, tmp_path):
    root = tmp_path / "rated"
    root.mkdir()
    small_recipe.write(root, epochs=1)
    rated = changed(small, "source.name=table", f'source.root="{root}/affective"', 'source.options.file="table.csv"',
                    'source.options.scale="1..9"')  # fmt: skip
    with pytest.raises(DataError, match='task = "rotation"'):
        source_data(rated, data_root=None)
    assert len(source_data(changed(rated, "source.task=rotation"), data_root=None).splits["train"])


@pytest.mark.parametrize("task", ["classes", "rotation"])
def test_a_run_starts_from_its_source_with_a_head_of_its_own(small, tmp_path, task):
    recipe = changed(
        small,
        f"source.task={task}",
        "model.backbone=resnet8+sagan",
        "model.trainable=head",
        "training.learning_rate=1e-9",
    )
    result = train(recipe, out=tmp_path / "run")
    source, model = affekt.load(tmp_path / "run/source/model"), affekt.load(result.model)
    trunk = model.backbone.state_dict()
    assert all(torch.equal(v, trunk[k]) for k, v in source.backbone.state_dict().items())
    assert not np.allclose(model.head.weight.detach()[:2], source.head.weight.detach()[:2], atol=1e-3)
    assert source.classes == (("dark", "light") if task == "classes" else ("0", "90", "180", "270"))
    held = json.loads((tmp_path / "run/source/result.json").read_text())
    assert set(held["metrics"]) == {"train", "validation"}
    assert train(recipe, out=tmp_path / "run").seconds == 0


def test_the_source_counts_in_what_a_condition_costs(small):
    facts = read_facts(small, data_root=None)
    whole, scratch = cost_of(small, facts), cost_of(changed(small, "model.initial=random"), facts)
    assert scratch.pretraining == 0 < whole.pretraining
    rotation = changed(small, "source.task=rotation")
    turned = cost_of(rotation, read_facts(rotation, data_root=None))
    assert turned.pretraining == pytest.approx(whole.pretraining, rel=0.05)  # one orientation a picture, not four
