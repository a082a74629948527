"""Recipes about clips: sections of their own, nothing of the other kind, and pictures' recipes as they were."""

import tomllib

import pytest

from affekt.errors import RecipeError
from affekt.recipe import ClipSettings, Recipe, from_dict, load_recipe, override, to_toml
from affekt.study.jobs import digest

CLIPS = {"clips": {"name": "emodb", "tasks": ["emotion", "gender"], "leave_one_out": True, "fold": 2}}


def test_what_is_written_is_read_back_and_has_nothing_of_pictures():
    recipe = override(from_dict(Recipe, CLIPS), ["network.audio_options.mels=32", "clips.options.file=x.csv"])
    written = tomllib.loads(to_toml(recipe))
    assert recipe.of_clips
    assert from_dict(Recipe, written) == recipe
    assert not {"target", "model", "emotional", "affective", "regulation", "augmentation"} & written.keys()
    assert written["network"]["audio_options"] == {"mels": 32}


def test_a_recipe_of_pictures_is_written_as_before_there_were_clips():
    """Its digest names folders of begun studies."""
    written = to_toml(Recipe(name="x"))
    assert not {"clips", "clip_augmentation", "network"} & tomllib.loads(written).keys()
    assert digest(Recipe(name="x")) == "41933ffbfcb3"


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["target.name=cifar10"], r"\[target\]: is for pictures.*; write \[clips\]"),
        (["augmentation.flip=0.0"], r"\[augmentation\]: is for pictures.*; write \[clip_augmentation\]"),
        (["emotional.dropout=0.1"], r"\[emotional\]: is for pictures.*; leave it out"),
        (["clips.name="], r"\[clips\]: is for clips; name a set"),
        (["clips.taks=['emotion']"], "Nearest: clips.tasks"),
        (["network.recurrent=lsmt"], "Nearest: lstm"),
        (["network.dropout=2.0"], "out of range; from 0 to 1"),
        (
            ["study.comparisons=[leak - a, b - a]"],
            r"""their quotes; write --set 'study.comparisons=\["leak - a", "b - a"\]'$""",
        ),
        (["study.comparisons=leak - a"], r'a list was expected, e.g. \["leak - a"\]'),
        (["clips.folds=5"], r"\[clips\] folds = 5, leave_one_out = true: .* leave one of them out"),
    ],
)
def test_what_does_not_belong_is_refused(sets, message):
    with pytest.raises(RecipeError, match=message):
        override(from_dict(Recipe, CLIPS), sets)


def test_conditions_may_change_options_of_the_network(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('[clips]\nname = "emodb"\n[conditions.small]\n"network.audio_options.features" = 8\n')
    assert load_recipe(path).conditions == {"small": {"network.audio_options.features": 8}}


def test_a_fold_needs_folds_or_units_that_are_left_out():
    assert from_dict(ClipSettings, {"leave_one_out": True, "fold": 3}).fold == 3
    assert ClipSettings().fold is None
    with pytest.raises(RecipeError, match="of how many"):
        from_dict(ClipSettings, {"fold": 3}, "clips")
