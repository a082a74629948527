"""Whole runs with whitened networks and small pictures first: whose pictures the layers are from, and what it costs."""

import json

import pytest
import torch
from small_recipe import ONE_THREAD, write

import affekt
from affekt.backbones import whiten
from affekt.backbones.sizes import seen_size
from affekt.errors import UsageError
from affekt.recipe import load_recipe, override
from affekt.regulation import ClassificationTask, Classifier
from affekt.study import train
from affekt.study.building import affect_task, affective_data, target_data
from affekt.study.costs import cost_of, operations
from affekt.study.facts import read_facts

NAME = "resnet9-whitened-w2"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("fast"), epochs=2)
    changes = [f"model.backbone={NAME}", f"emotional.backbone={NAME}", "training.sizes=[16,32]"]
    changes += ["emotional.training.sizes=[9,32]", "regulation.influence=added", "weighting.name=sum"]
    return override(load_recipe(path), [*ONE_THREAD, *changes])


def filters(part):
    return part.backbone.trunk.whitening.weight


def of_pictures(stimuli):
    model = Classifier(NAME, 2, 32)
    whiten(model, [stimuli.images(torch.arange(len(stimuli)).numpy())])
    return filters(model)


@pytest.mark.parametrize("pretrained", ["true", "false"])
def test_each_layer_is_from_the_pictures_of_its_own_training(recipe, tmp_path, pretrained):
    """Also that of an emotional encoder which is not trained: it starts where the trained one starts."""
    changed = override(recipe, [f"regulation.pretrained={pretrained}"])
    model = affekt.load(train(changed, condition="learn-e-reg", out=tmp_path / "regulated").model)
    target = of_pictures(target_data(recipe, seed=0, data_root=None).splits["train"])
    affective = of_pictures(affective_data(recipe, seed=0, data_root=None).splits["train"])
    assert torch.equal(filters(model.non_emotional), target)
    assert torch.equal(filters(model.influence.encoder), target)
    assert torch.equal(filters(model.emotional), affective)


def test_a_head_that_is_solved_is_solved_on_whitened_features(recipe):
    """Filled before the trainer shows its pictures: the rating head is fitted to features before that."""
    affective = affective_data(recipe, seed=0, data_root=None).splits["train"]
    task = affect_task(override(recipe, ["emotional.head_start=ridge"]), affective.labels, seed=0)
    task.start(affective)
    assert torch.equal(filters(task.model), of_pictures(affective))


def test_conditions_share_the_layer(recipe, tmp_path):
    baseline = affekt.load(train(recipe, condition="baseline", out=tmp_path / "baseline").model)
    assert torch.equal(filters(baseline), of_pictures(target_data(recipe, seed=0, data_root=None).splits["train"]))
    record = json.loads((tmp_path / "baseline" / "result.json").read_text())
    assert 0 <= record["metrics"]["test"]["accuracy"] <= 1


def test_what_small_pictures_save_is_in_the_costs(recipe):
    facts = read_facts(recipe, data_root=None)
    small, full, both = (
        cost_of(override(recipe, ["model.kind=classifier", f"training.sizes={sizes}"]), facts)
        for sizes in ("[16]", "[32]", "[16,32]")
    )
    whole = cost_of(override(recipe, ["model.kind=classifier", "training.sizes=[]"]), facts)
    assert full.step == whole.step > 3 * small.step
    assert both.step == pytest.approx((small.step + full.step) / 2)
    assert both.training == pytest.approx((small.training + full.training) / 2)
    task = ClassificationTask(Classifier(NAME, 2, 32))
    operations(task, 32, override(recipe, ["training.sizes=[16]"]).training)
    assert seen_size(task.model.train()) == 32, "a task that was counted is as it was"
    with pytest.raises(UsageError, match="40 px is above image_size = 32"):
        cost_of(override(recipe, ["training.sizes=[40]"]), facts)
