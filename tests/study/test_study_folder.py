"""A run's folder: whose it is, and that nothing in it is overwritten."""

import json
from pathlib import Path

import numpy as np
import pytest

from affekt.errors import AffektError, RecipeError
from affekt.recipe import Recipe, load_recipe, override
from affekt.study.folder import Busy, RunFolder, environment, with_threads
from affekt.study.frame import Frame, failed_runs, read_comparison
from affekt.training.checkpoint import Checkpoint, Checkpoints


@pytest.fixture
def recipe():
    return with_threads(Recipe(name="x"), 2)


def test_claimed_folder_states_the_complete_recipe_and_the_environment(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    assert folder.held(recipe) is None
    folder.claim(recipe)
    assert load_recipe(tmp_path / "run" / "recipe.toml") == recipe
    assert folder.held(recipe) == recipe
    assert set(json.loads((tmp_path / "run" / "environment.json").read_text())["versions"]) >= {"affekt", "torch"}


def test_threads_of_the_folder_win_over_the_machine(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    folder.claim(recipe)
    assert folder.held(Recipe(name="x")).training.threads == 2
    with pytest.raises(RecipeError, match=r"training\.threads is 2 there, 1 here"):
        folder.held(override(Recipe(name="x"), ["training.threads=1"]))


def test_another_recipe_is_refused_with_the_keys_that_differ(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    folder.claim(recipe)
    before = (tmp_path / "run" / "recipe.toml").read_bytes()
    with pytest.raises(RecipeError) as caught:
        folder.held(override(recipe, ["training.epochs=99", "model.width=8"]))
    assert "keys that differ: model.width, training.epochs" in str(caught.value)
    assert "None there, 8.0 here" in str(caught.value)
    assert (tmp_path / "run" / "recipe.toml").read_bytes() == before


def test_words_for_people_make_no_other_recipe(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    folder.claim(recipe)
    assert folder.held(override(recipe, ['about="in other words"'])) == recipe


def test_foreign_folder_and_file_are_refused_untouched(tmp_path, recipe):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RecipeError, match="not empty and not a run of affekt"):
        RunFolder(tmp_path).held(recipe)
    with pytest.raises(RecipeError, match="not empty and not a run of affekt"):
        RunFolder(tmp_path / "notes.txt").held(recipe)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_damaged_result_is_named(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    folder.claim(recipe)
    assert folder.result() is None
    folder.write_result({"metrics": {}})
    assert folder.result() == {"metrics": {}}
    (tmp_path / "run" / "result.json").write_text('{"metr')
    with pytest.raises(AffektError, match=r"result\.json: damaged"):
        folder.result()


def test_predictions_need_no_pickle_and_are_the_same_bytes_each_time(tmp_path, recipe):
    arrays = {"test/ids": np.array(["a", "b"]), "test/r": np.array([0.5, 0.25], dtype=np.float32)}
    contents = []
    for name in ("one", "two"):
        RunFolder(tmp_path / name).write_predictions(arrays)
        contents.append((tmp_path / name / "predictions.npz").read_bytes())
    assert contents[0] == contents[1]
    with np.load(tmp_path / "one" / "predictions.npz", allow_pickle=False) as stored:
        assert stored["test/ids"].tolist() == ["a", "b"]


def test_read_only_place_is_one_line(tmp_path, recipe):
    (tmp_path / "file").write_text("")
    with pytest.raises(AffektError, match="cannot write") as caught:
        RunFolder(tmp_path / "file" / "run").claim(recipe)
    assert "\n" not in str(caught.value)


def test_environment_names_no_path_and_no_person():
    text = json.dumps(environment())
    assert "/" not in text.replace("N/A", "")


@pytest.mark.parametrize(
    "name",
    [
        "environment.json",
        "environment.json.7.tmp",
        "recipe.toml.7.tmp",
        "error.json",
        "error.json.7.tmp",
        "claim",
        "claim.12.tmp",
    ],
)
def test_a_folder_that_is_being_claimed_is_free(tmp_path, name):
    """Two commands that begin at the same moment, or one that was killed while it claimed its folder."""
    (tmp_path / name).write_text("{}")
    assert RunFolder(tmp_path).held(Recipe()) is None


def test_a_run_that_another_machine_took_over_gets_no_result_from_this_one(tmp_path, recipe):
    folder = RunFolder(tmp_path / "run")
    with folder.locked():
        folder.claim(recipe)
        [claim] = (folder.path / "claim").iterdir()
        claim.rename(claim.with_name("node17.4711.5.00000000.0123456789ab"))
        writes = [lambda: folder.write_result({}), lambda: folder.write_predictions({})]
        writes += [lambda: Checkpoints(folder.path / "checkpoints").write(Checkpoint(step=1, state={}, tensors={}))]
        for write in writes:
            with pytest.raises(Busy, match="taken over by process 4711 on node17"):
                write()
    assert {path.name for path in folder.path.iterdir()} == {"recipe.toml", "environment.json", "claim"}


def test_a_folder_that_another_command_claims_while_it_is_looked_at(tmp_path, recipe, monkeypatch):
    look, claimed = Path.exists, []

    def exists(path):
        found = look(path)
        if path.name == "recipe.toml" and not claimed:
            claimed.append(True)
            RunFolder(path.parent).claim(recipe)
            (path.parent / "comparison.json").write_text("{}")
        return found

    monkeypatch.setattr(Path, "exists", exists)
    assert RunFolder(tmp_path / "st").held(recipe) in (None, recipe)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "run it first: affekt study"), ("{", "damaged"), ('{"format": 2}', "format 2, this affekt reads 1")],
)
def test_a_folder_that_is_no_study_of_this_affekt_is_said(tmp_path, content, message):
    if content is not None:
        (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(AffektError, match=message):
        read_comparison(tmp_path)


def test_a_run_that_failed_and_was_done_since_has_not_failed(tmp_path):
    frame = Frame(
        recipe=Recipe(), conditions=("a", "b"), inapplicable={}, seeds=(0,), declared=(0,), classes=(), state_names=(),
        provenance=(),
    )  # fmt: skip
    for name in ("a", "b"):
        run = tmp_path / "runs" / name / "seed-0"
        run.mkdir(parents=True)
        (run / "error.json").write_text('{"error": "out of memory"}')
    (run / "result.json").write_text("{}")
    assert failed_runs(tmp_path, frame) == [{"condition": "a", "seed": 0, "error": "out of memory"}]
