"""``affekt recipes``: listed, printed, copied, and found by name."""

import json
import tomllib

import pytest

from affekt.cli.shipped import find, shipped
from affekt.errors import RecipeError


def test_every_shipped_recipe_is_listed_with_a_line(call):
    answer = call("recipes", "--json")
    listed = {entry["name"]: entry["about"] for entry in json.loads(answer.out)}
    assert listed.keys() == shipped().keys()
    assert "quickstart" in listed
    assert all(listed.values())


def test_a_recipe_is_printed_as_it_stands(call):
    assert call("recipes", "quickstart").out == shipped()["quickstart"].read_text()
    assert json.loads(call("recipes", "quickstart", "--json").out) == tomllib.loads(call("recipes", "quickstart").out)


def test_a_copy_is_never_written_over_a_file(call, tmp_path):
    copy = tmp_path / "mine.toml"
    answer = call("recipes", "quickstart", "--out", copy)
    assert answer.code == 0
    assert copy.read_text() == shipped()["quickstart"].read_text()
    copy.write_text("seed = 1")
    assert "exists already and is not overwritten" in call("recipes", "quickstart", "--out", copy).error
    assert copy.read_text() == "seed = 1"


def test_wrong_names_are_answered_with_the_nearest(call, tmp_path):
    assert 'recipe "quickstrat": unknown. Nearest: quickstart' in call("recipes", "quickstrat").error
    assert "no folder" in call("recipes", "quickstart", "--out", tmp_path / "no" / "x.toml").error
    assert "name the recipe to copy" in call("recipes", "--out", tmp_path / "x.toml").error


def test_a_file_of_that_name_comes_before_a_shipped_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find("quickstart") == shipped()["quickstart"]
    (tmp_path / "quickstart").mkdir()
    assert find("quickstart") == shipped()["quickstart"]
    (tmp_path / "quickstart").rmdir()
    (tmp_path / "quickstart").write_text("seed = 1")
    assert find("quickstart").read_text() == "seed = 1"


def test_a_name_that_is_neither_says_both_ways():
    with pytest.raises(RecipeError, match="affekt recipes; or give the path"):
        find("nope")
