"""Every shipped recipe parses, names things that exist, and - where it is small - runs."""

import os
from pathlib import Path

import pytest

from affekt.backbones import list_backbones
from affekt.data import dataset
from affekt.data.audiovisual import clip_dataset
from affekt.recipe import NetworkSettings, WeightingSettings, load_recipe, override
from affekt.regulation import PRESETS
from affekt.study import apply_condition, list_conditions, pretrain, train
from affekt.study.clips.given import given_at_test
from affekt.study.clips.opening import features_of, needs
from affekt.study.clips.planning import declared_for_tasks
from affekt.study.computed import COMPUTED
from affekt.study.conditions import NEEDS_PRETRAINING
from affekt.weighting import list_weightings

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
EXPECTED = {
    "abstract", "cifar10-fast", "cifar10-fast-accuracy-study", "cifar10-fast-study", "cifar10-laptop",
    "cifar10-study", "composed-study", "diffused-emod", "earlier-learners-study", "emod",
    "emodb-published-front-end", "emodb-study", "emoset", "ferplus", "ferplus-cifar10-study", "iemocap-published",
    "oasis", "own-folder", "quickstart", "regulation-weights-study", "resnet50-cifar10", "resnet50-cifar100",
    "valence-people-study", "valence-study", "vit-b16-cifar10", "vit-b16-cifar100",
}  # fmt: skip


def test_all_are_there():
    assert {path.stem for path in RECIPES} == EXPECTED


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_parses_and_names_what_exists(path):
    recipe = load_recipe(path)
    assert path.read_text().startswith("# ")
    assert recipe.name
    for settings in (recipe.affective, recipe.target):
        if settings.name:
            assert set(settings.options) <= set(dataset(settings.name).options)
    for name in (recipe.emotional.backbone, recipe.model.backbone):
        plain = name.split("-w")[0]
        assert name in list_backbones(name) or plain in list_backbones(plain)
    assert recipe.weighting.name in list_weightings()
    if recipe.of_clips:
        known = clip_dataset(recipe.clips.name).tasks
        assert set(recipe.clips.tasks) <= set(known) or not known  # a table says it itself
        declared_for_tasks(recipe, {name: apply_condition(recipe, name) for name in recipe.conditions})
    # Those that are computed need the data.
    for condition in (*(() if recipe.of_clips else PRESETS), *recipe.conditions):
        assert condition in list_conditions(recipe)
        if condition in COMPUTED:
            continue
        if recipe.emotional.model and condition in NEEDS_PRETRAINING:
            continue
        assert apply_condition(recipe, condition).conditions == {}


def test_the_published_network_is_that_of_the_paper():
    recipe = load_recipe(RECIPES[0].parent / "iemocap-published.toml")
    assert recipe.network == NetworkSettings() and recipe.clips.window == 6.0
    assert (recipe.clips.rate, recipe.clips.fps, recipe.clips.size) == (16_000, 25.0, 96)
    assert recipe.weighting == WeightingSettings(name="softmax")
    engine = recipe.training
    assert (engine.optimiser, engine.learning_rate, engine.schedule, engine.step_every) == ("adam", 1e-4, "step", 10)
    assert (engine.clip, engine.weight_decay) == (1.0, 0.0)


def test_sound_pictures_and_both_are_one_network_with_less():
    recipe = load_recipe(RECIPES[0].parent / "composed-study.toml")
    parts = {name: apply_condition(recipe, name) for name in recipe.conditions}
    assert {name: needs(part) for name, part in parts.items()} == {
        "sound": ("log-mel",), "pictures": ("faces",), "both": ("log-mel", "faces"),
    }  # fmt: skip
    assert {name: given_at_test(part) for name, part in parts.items()} == {
        "sound": (), "pictures": (), "both": ("audio", "video"),
    }  # fmt: skip
    assert all(features_of(part) for part in parts.values())


SHORT = ["training.epochs=1", "emotional.training.epochs=1"]


def test_quickstart_runs(tmp_path):
    """The whole of it, as a user would run it, is a step of CI; this is one epoch of each part."""
    recipe = override(load_recipe(RECIPES[0].parent / "quickstart.toml"), SHORT)
    emotional = pretrain(recipe, out=tmp_path / "emotional")
    assert any("held out of the target" in note for note in emotional.notes)
    result = train(recipe, condition="learn-e-reg", out=tmp_path / "regulated", emotional=emotional.model)
    assert result.metrics["test"]["accuracy"] > 0


@pytest.mark.slow
@pytest.mark.skipif("AFFEKT_DATA" not in os.environ, reason="AFFEKT_DATA is not set: no real pictures")
@pytest.mark.parametrize("condition", ["learn-e-reg", "own-backbone"])
def test_laptop_recipe_runs_on_real_pictures(tmp_path, condition):
    small = [*SHORT, "emotional.initial=random", "target.train_limit=512", "emotional.image_size=32"]
    recipe = override(load_recipe(RECIPES[0].parent / "cifar10-laptop.toml"), small)
    result = train(recipe, condition=condition, out=tmp_path / "run")
    assert result.metrics["test"]["accuracy"] > 0
