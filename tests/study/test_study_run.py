"""Whole runs, small: a folder of affective pictures and one of classes in, weights and results out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_recipe import write

import affekt
import affekt.errors
from affekt.errors import RecipeError, UsageError
from affekt.perception.ridge import fit_ridge
from affekt.recipe import Recipe, load_recipe, override
from affekt.study import apply_condition, list_conditions, pretrain, train
from affekt.study.building import affective_data, target_data
from affekt.study.folder import RunFolder
from affekt.study.records import hopeless
from affekt.training import Evaluation, planning, read_weights
from affekt.training.distributed import Processes


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("small"), epochs=2)
    return override(load_recipe(path), ["training.threads=1", "emotional.training.threads=1"])


@pytest.fixture(scope="module")
def emotional(recipe, tmp_path_factory):
    return pretrain(recipe, out=tmp_path_factory.mktemp("runs") / "emotional")


@pytest.fixture(scope="module")
def regulated(recipe, emotional, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "regulated"
    return train(recipe, condition="learn-e-reg", out=out, emotional=emotional.model)


def files(folder):
    return {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "timing.jsonl"
    }


def test_pretraining_leaves_a_network_that_loads(emotional):
    network = affekt.load(emotional.model)
    assert isinstance(network, affekt.AffectNetwork)
    assert emotional.metrics["test"]["valence/n"] > 0
    assert not torch.allclose(network.state_std, torch.ones(1))
    described = network.describe(torch.rand(1, 3, 40, 50))[0]
    assert "valence" in described.describe()
    assert described.scale.high == 9


def test_regulated_run_states_its_parts(recipe, regulated):
    record = json.loads((regulated.folder / "result.json").read_text())
    assert record["condition"] == "learn-e-reg"
    assert sum(record["n"].values()) == 80
    assert record["n"]["test"] == 16
    assert {"accuracy", "nll", "ece", "non_emotional/accuracy", "influenced/accuracy"} <= set(record["metrics"]["test"])
    assert record["parameters"]["total"] > record["parameters"]["trainable"]
    with np.load(regulated.folder / "predictions.npz", allow_pickle=False) as stored:
        accuracy = (stored["test/log_probabilities"].argmax(1) == stored["test/label/category"]).mean()
        assert stored["test/regulation"].shape == (16, 1)
    assert record["metrics"]["test"]["accuracy"] == pytest.approx(accuracy)


def test_card_names_every_data_set_behind_the_weights(regulated):
    card = (regulated.model / "README.md").read_text()
    assert "Your own pictures" in card
    assert "A table of your own" in card


def test_saved_model_predicts_what_the_run_predicted(recipe, regulated):
    model = affekt.load(regulated.model).eval()
    data = target_data(apply_condition(recipe, "learn-e-reg"), seed=0, data_root=None)
    images = data.splits["test"].images(np.arange(16))
    with torch.inference_mode():
        found = model(images).log_probabilities
    with np.load(regulated.folder / "predictions.npz") as stored:
        # The run scored in bf16 where the machine has it natively, this is fp32.
        assert np.allclose(found.numpy(), stored["test/log_probabilities"], atol=0.1)


def test_finished_run_is_read_and_not_computed_again(recipe, regulated):
    before = files(regulated.folder)
    model = json.loads((regulated.folder / "result.json").read_text())
    emotional = load_recipe(regulated.folder / "recipe.toml").emotional.model
    again = train(recipe, condition="learn-e-reg", out=regulated.folder, emotional=emotional)
    assert again.seconds == 0
    assert dict(again.metrics) == model["metrics"]
    assert files(regulated.folder) == before


def test_a_folder_at_work_is_refused(recipe, tmp_path):
    with (
        RunFolder(tmp_path / "run").locked(),
        pytest.raises(affekt.errors.AffektError, match="another affekt is at work"),
    ):
        pretrain(recipe, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("condition", ["pretrain", "baseline", "rand-learn-e-reg"])
def test_more_processes_than_items_leave_nothing(recipe, tmp_path, monkeypatch, condition):
    monkeypatch.setattr(planning, "current", lambda: Processes(0, 2))
    key = "training.batch_size" if condition == "baseline" else "emotional.training.batch_size"
    one = override(recipe, [f"{key}=1"])
    with pytest.raises(affekt.errors.UsageError, match="2 processes"):
        if condition == "pretrain":
            pretrain(one, out=tmp_path / "run")
        else:
            train(one, condition=condition, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_same_seed_gives_the_same_bits_and_another_does_not(recipe, emotional, tmp_path):
    one = train(recipe, condition="baseline", out=tmp_path / "one")
    same = train(recipe, condition="baseline", out=tmp_path / "same")
    other = train(recipe, condition="baseline", out=tmp_path / "other", seed=1)
    weights = [(r.model / "model.safetensors").read_bytes() for r in (one, same, other)]
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_own_emotional_encoder_is_trained_in_the_run(recipe, tmp_path):
    shorter = override(recipe, ["training.epochs=1", "emotional.training.epochs=1"])
    result = train(shorter, condition="rand-learn-e-reg", out=tmp_path / "run")
    assert (tmp_path / "run" / "emotional" / "result.json").exists()
    network = affekt.load(tmp_path / "run" / "emotional" / "model")
    model = affekt.load(result.model)
    kept = model.emotional.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())


def test_untrained_emotion_keeps_initial_weights_and_has_a_standardised_state(recipe, tmp_path):
    untrained = override(recipe, ["regulation.pretrained=false", "training.epochs=1"])
    result = train(untrained, condition="learn-e-reg", out=tmp_path / "run")
    assert not (tmp_path / "run" / "emotional").exists()
    emotional = affekt.load(result.model).emotional.eval()
    pictures = affective_data(recipe, seed=0, data_root=None).splits["train"]
    state = emotional(pictures.images(np.arange(len(pictures)))).state
    assert state.mean().abs() < 0.1
    assert 0.8 < state.std() < 1.2


def test_held_out_regulator_takes_its_pictures_from_train(recipe):
    data = target_data(apply_condition(recipe, "held-out-regulator"), seed=0, data_root=None)
    parts = [set(data.splits[name].ids.tolist()) for name in ("train", "held-out", "validation", "test")]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 80
    assert any("for the regulator" in note for note in data.notes)


def test_held_out_regulator_trains(recipe, emotional, tmp_path):
    short = override(recipe, ["training.epochs=1"])
    result = train(short, condition="held-out-regulator", out=tmp_path / "run", emotional=emotional.model)
    assert json.loads((result.folder / "result.json").read_text())["n"]["held-out"] == 6


def test_affect_cache_and_its_features_train(recipe, emotional, tmp_path):
    changes = ["training.epochs=1", "regulation.affect_cache=true", "regulation.cached_features=true"]
    cached = override(recipe, [*changes, "regulation.influence=added"])
    result = train(cached, condition="learn-e-reg", out=tmp_path / "run", emotional=emotional.model)
    assert result.metrics["test"]["accuracy"] is not None


def test_affective_stimuli_of_held_out_identities_are_excluded(recipe, tmp_path):
    same = replace(recipe.affective, name="folder", root=recipe.target.root, options={}, exclude_target=True)
    excluded = affective_data(replace(recipe, affective=same), seed=0, data_root=None)
    target = target_data(recipe, seed=0, data_root=None)
    held = {*target.splits["validation"].groups.tolist(), *target.splits["test"].groups.tolist()}
    assert held
    for part in excluded.splits.values():
        assert not held & set(part.groups.tolist())
    assert any("left out" in note for note in excluded.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["target.name=cifr10"], "cifar10"),
        (["target.name="], "[target] name: missing"),
        (["model.backbone=resnet5O"], "resnet50"),
        (["weighting.name=sofmax"], "softmax"),
        (["weighting.name=single"], "needs task: set it in [weighting.options]"),
        (["weighting.name=uniform", "weighting.floor=0.1"], 'weighting "uniform" has no option "floor"'),
        (["emotional.weighting.name=sofmax"], "softmax"),
        (["model.backbone=resnet14"], "initialised"),
        (["emotional.ratings=[]"], "[emotional]: no head"),
        (['emotional.ratings=["arousal"]'], "has no arousal; it has valence"),
        (["emotional.categories=votes"], '[emotional] categories = "votes"'),
        (["emotional.model=nowhere"], "nowhere"),
        (["emotional.model=nowhere", "regulation.pretrained=false"], "pretrained = false, but [emotional] model"),
        (["regulation.cached_features=true"], "needs affect_cache = true"),
        (["training.accumulate=9"], "training.accumulate = 9: more parts than 8 items a batch; write --set"),
        (["emotional.training.accumulate=9"], "emotional.training.accumulate = 9: more parts than 8 items"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(recipe, tmp_path, changes, message):
    with pytest.raises(affekt.errors.AffektError) as caught:
        train(override(recipe, changes), condition="learn-e-reg", out=tmp_path / "run")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_weightings_of_both_networks_and_their_cosines(recipe, tmp_path):
    changes = ["emotional.weighting.name=uw", "weighting.name=single", "weighting.options.task=influenced"]
    changed = override(recipe, [*changes, "weighting.gradient_cosine=true", "training.epochs=1"])
    result = train(changed, condition="learn-e-reg", out=tmp_path / "run")
    (encoder,) = (tmp_path / "run").glob("*/log.jsonl")
    assert read_weights(encoder.parent).tasks == ("valence",)
    held = read_weights(result.folder)
    assert held.tasks == ("regulated", "non_emotional", "influenced")
    assert held.weights[-1].tolist() == [0.0, 0.0, 1.0]
    assert set(json.loads((result.folder / "result.json").read_text())["losses"]["test"]) == set(held.tasks)
    assert '"regulated ~ influenced"' in (result.folder / "log.jsonl").read_text()


def test_a_classifier_is_no_emotional_encoder(recipe, tmp_path):
    plain = train(override(recipe, ["training.epochs=1"]), condition="baseline", out=tmp_path / "plain")
    with pytest.raises(RecipeError, match="a Classifier, not an affect network"):
        train(recipe, condition="learn-e-reg", out=tmp_path / "run", emotional=plain.model)


def test_unknown_condition_lists_the_nearest(recipe):
    assert {"baseline", "learn-e-reg", "held-out-regulator"} <= set(list_conditions(recipe))
    with pytest.raises(UsageError, match="Nearest: learn-e-reg"):
        apply_condition(recipe, "learn-ereg")


def test_own_conditions_come_before_presets(recipe):
    own = override(recipe, ["conditions.baseline.training.epochs=7", "conditions.baseline.model.kind=classifier"])
    applied = apply_condition(own, "baseline")
    assert applied.training.epochs == 7
    assert applied.conditions == {}


def test_a_ridge_start_is_in_the_weights_before_the_first_step(recipe, tmp_path):
    changes = ["head_start=ridge", "trainable=head", "training.learning_rate=1e-12", "training.epochs=1"]
    changed = override(recipe, [f"emotional.{change}" for change in changes])
    network = affekt.load(pretrain(changed, out=tmp_path / "run").model)
    train_split = affective_data(changed, seed=0, data_root=None).splits["train"]
    with torch.no_grad():
        out = network(train_split.images(np.arange(len(train_split))))
    for column, name in enumerate(network.ratings):
        expected = fit_ridge(out.features.numpy(), train_split.labels.ratings[name]).predict(out.features.numpy())
        np.testing.assert_allclose(out.rating_values[:, column], expected, atol=0.02)


def test_a_network_far_worse_than_the_mean_is_noted():
    def scored(rmse):
        metrics = {"valence/rmse": rmse, "valence/rmse_of_mean": 1.2}
        return {"validation": Evaluation(metrics=metrics, losses={}, outputs={})}

    assert hopeless(scored(1.3)) == []
    assert "valence/rmse 50, where the mean of the ratings has 1.2" in hopeless(scored(50.0))[0]


@pytest.mark.parametrize("key", ["training.epochs=3", "augmentation.flip=0"])
def test_a_pretraining_recipe_with_keys_of_a_target_is_refused(recipe, tmp_path, key):
    alone = override(replace(recipe, target=Recipe().target, training=Recipe().training), [key])
    section = key.partition(".")[0]
    with pytest.raises(RecipeError, match=rf"\[{section}\]: is for a target.*write \[emotional.{section}\]"):
        pretrain(alone, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
