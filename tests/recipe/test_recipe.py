"""Recipes: what is written is read back; what is wrong is answered with place, value and the nearest right one."""

import tomllib
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import RecipeError
from affekt.recipe import (
    Recipe,
    change,
    differing_keys,
    from_dict,
    keys,
    load_recipe,
    override,
    to_dict,
    to_toml,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(TEXT, st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False))


@given(
    st.dictionaries(TEXT.filter(bool), st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(tuple)), max_size=4),
    TEXT,
    st.integers(1, 999),
    st.floats(1e-6, 10),
)
def test_written_recipe_reads_back_equal(options, about, epochs, rate):
    recipe = change(
        Recipe(), {"about": about, "training.epochs": epochs, "training.learning_rate": rate, "target.name": "x"}
    )
    recipe = from_dict(Recipe, to_dict(recipe) | {"affective": {"name": "table", "options": options}})
    assert from_dict(Recipe, tomllib.loads(to_toml(recipe))) == recipe


def test_conditions_survive_the_round_trip():
    recipe = override(Recipe(), ["conditions.long-run.training.epochs=30", "conditions.none.training.clip=1"])
    assert recipe.conditions == {"long-run": {"training.epochs": 30}, "none": {"training.clip": 1}}
    assert from_dict(Recipe, tomllib.loads(to_toml(recipe))) == recipe


@pytest.mark.parametrize("key", ["seed", "study.seeds", "name", "conditions.b.seed"])
def test_a_condition_changes_nothing_of_the_whole_study(key):
    with pytest.raises(RecipeError, match=r"\[conditions.a\] .*: belongs to the whole study"):
        override(Recipe(), [f"conditions.a.{key}=1"])


def test_an_unknown_key_of_a_condition_names_the_condition():
    with pytest.raises(RecipeError, match=r'\[conditions.a\] key "training.epoch": unknown. Nearest: training.epochs'):
        override(Recipe(), ["conditions.a.training.epoch=1"])


def test_condition_keys_may_be_written_dotted_or_quoted():
    dotted = tomllib.loads("[conditions.a]\ntraining.epochs = 3")
    quoted = tomllib.loads('[conditions.a]\n"training.epochs" = 3')
    assert from_dict(Recipe, dotted) == from_dict(Recipe, quoted)


def test_bare_words_are_strings_and_none_restores_the_default():
    recipe = override(Recipe(), ["target.name=cifar10", "training.clip=1", 'emotional.ratings=["valence"]'])
    assert (recipe.target.name, recipe.training.clip, recipe.emotional.ratings) == ("cifar10", 1.0, ("valence",))
    assert change(recipe, {"training.clip": None}).training.clip is None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("training.epoch=3", 'key "training.epoch": unknown. Nearest: training.epochs'),
        ("model.attention=sagan", 'attention is part of a backbone\'s name, e.g. backbone = "vgg13+sagan"'),
        ("attention.kind=sagan", "attention is part of a backbone's name"),
        ("epochs=3", "Nearest: training.epochs"),
        ("training=3", 'key "training" is a section; set one of its keys, e.g. training.epochs'),
        ("training.epochs", "write KEY=VALUE"),
        ("training.epochs=many", "[training] epochs = 'many': a whole number was expected"),
        ("training.epochs=2.5", "a whole number was expected"),
        ("training.epochs=true", "a whole number was expected"),
        ("training.epochs=0", "[training] epochs = 0: out of range; 1 or more"),
        ("training.ema=1", "out of range; from 0 to 0.999999"),
        ("training.clip=0", "out of range"),
        ("training.learning_rate=inf", "out of range"),
        ("training.learning_rate=0", "out of range"),
        ("affective.fold=2", "[affective] fold = 2: of how many? set folds too"),
        ("training.threads=1000000", "out of range; from 1 to 1024"),
        ("training.learning_rate=nan", "out of range"),
        ("training.channels_last=1", "true or false was expected"),
        ("target.name=3", "a string was expected"),
        ("regulation.influence=adde", "no such choice. Nearest: added. Choices: initialised, concatenated"),
        ("emotional.ratings=valence", 'a list was expected, e.g. ["valence"]'),
        ("augmentation.scale=[0.1]", "2 numbers were expected"),
        ("conditions.mine.training.epoch=3", 'key "training.epoch": unknown'),
        ("affective.options.table={a=1}", "a string, number, true, false or a list of these was expected"),
    ],
)
def test_wrong_override_is_answered_in_one_line(item, expected):
    with pytest.raises(RecipeError) as caught:
        override(Recipe(), [item])
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trainin = 3", '"trainin". Nearest: training'),
        ("[target]\nnam = 'x'", '[target] has no key "nam". Nearest: name'),
        ("learning_rate = 3", "Did you mean emotional.training.learning_rate or "),
        ("training = 3", "a table [training] was expected"),
        ("conditions = 3", "a table [conditions] was expected"),
        ("[conditions]\na = 3", "a table of keys to change was expected"),
        ("[target\nname=", "not readable as TOML"),
    ],
)
def test_wrong_file_is_answered_in_one_line(tmp_path, text, expected):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_recipe_and_folder_are_named(tmp_path):
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="a folder"):
        load_recipe(tmp_path)


def test_number_of_stages_may_be_a_number():
    assert override(Recipe(), ["emotional.trainable=2"]).emotional.trainable == "2"


def test_differing_keys_are_named():
    other = override(Recipe(), ["training.epochs=3", "affective.options.table=a.csv"])
    assert differing_keys(Recipe(), other) == ["affective.options.table", "training.epochs"]


def _settings(kind):
    for f in fields(kind()):
        value = getattr(kind(), f.name)
        if is_dataclass(value):
            yield from _settings(type(value))
        else:
            yield f


def test_every_key_says_what_it_is():
    assert all(f.metadata["about"] for f in _settings(Recipe))
    assert len(list(keys())) == len(list(_settings(Recipe)))
