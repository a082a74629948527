"""``affekt evaluate``: the run's own split by default, any other set on demand."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import affekt
from affekt.cli import scoring
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.errors import DataError


@pytest.fixture
def runs(small_runs, monkeypatch):
    """The working folder with finished runs of the small recipe; nothing may be written there."""
    monkeypatch.chdir(small_runs.parent)
    return small_runs


def result(run):
    return json.loads((run / "result.json").read_text())


@pytest.mark.parametrize("name", ["emotional", "regulated"])
@pytest.mark.parametrize("split", ["test", "validation"])
def test_gives_the_numbers_of_the_run(call, runs, name, split):
    found = json.loads(call("evaluate", runs / name, "--split", split, "--json").out)
    expected = result(runs / name)
    assert found["n"] == expected["n"][split]
    assert found["metrics"].keys() == expected["metrics"][split].keys()
    for metric, value in expected["metrics"][split].items():
        assert found["metrics"][metric] == pytest.approx(value, abs=1e-5), metric


def test_a_model_folder_finds_its_run_and_prints_a_table(call, runs):
    answer = call("evaluate", runs / "regulated" / "model")
    lines = answer.out.splitlines()
    assert lines[0].split() == ["metric", "folder", "test"]
    assert lines[-1].split() == ["n", str(result(runs / "regulated")["n"]["test"])]


def test_a_model_alone_needs_a_data_set(call, runs, tmp_path):
    shutil.copytree(runs / "regulated" / "model", tmp_path / "alone")
    answer = call("evaluate", tmp_path / "alone")
    assert answer.code == 2
    assert "say what to score it on: --dataset NAME" in answer.error
    words = ("--dataset", "folder", "--set", "target.root=target", "--split", "train", "--json")
    found = json.loads(call("evaluate", tmp_path / "alone", *words).out)
    assert found["n"] == 28


def stimuli(classes, category):
    ids = np.array([f"picture {i}" for i in range(len(category))])
    labels = Labels(categories=tuple(classes), category=np.array(category))
    pictures = ArrayPictures(torch.zeros(len(ids), 3, 8, 8, dtype=torch.uint8))
    return Stimuli(name="set", ids=ids, pictures=pictures, labels=labels, groups=ids)


def test_classes_are_matched_by_name():
    model = SimpleNamespace(classes=("cat", "dog", "emu"), num_classes=3)
    matched = scoring._with_classes(stimuli(("emu", "cat"), [0, 1, -1, 0]), model).labels
    assert matched.categories == ("cat", "dog", "emu")
    assert matched.category.tolist() == [2, 0, -1, 2]
    with pytest.raises(DataError, match="class elk is none of the model's: cat, dog, emu"):
        scoring._with_classes(stimuli(("cat", "elk"), [0, 1]), model)
    nameless = SimpleNamespace(classes=None, num_classes=3)
    with pytest.raises(DataError, match="2 classes, the model 3"):
        scoring._with_classes(stimuli(("cat", "dog"), [0, 1]), nameless)


def test_a_class_that_the_model_does_not_know_is_named(call, runs, tmp_path):
    shutil.copytree(runs.parent / "target", tmp_path / "other")
    (tmp_path / "other" / "dark").rename(tmp_path / "other" / "medium")
    answer = call("evaluate", runs / "regulated", "--dataset", "folder", "--set", f"target.root={tmp_path / 'other'}")
    assert (answer.code, answer.out) == (1, "")
    assert "class medium is none of the model's: dark, light" in answer.error


def test_another_set_does_not_change_what_the_network_answers(call, runs, tmp_path):
    """Ratings moved up by one: the RMSE is measured against the network's own scale and mean, not refitted."""
    other = tmp_path / "other"
    shutil.copytree(runs.parent / "affective", other)
    rows = (other / "table.csv").read_text().splitlines()
    moved = [f"{name},{min(9, float(v) + 1)}" for name, v in (row.split(",") for row in rows[1:])]
    (other / "table.csv").write_text("\n".join([rows[0], *moved]) + "\n")
    with np.load(runs / "emotional" / "predictions.npz") as stored:
        names, predicted = stored["test/ids"], stored["test/ratings"][:, 0]
    ratings = {row.split(",")[0]: float(row.split(",")[1]) for row in moved}
    expected = np.sqrt(np.mean([(p - ratings[n]) ** 2 for n, p in zip(names, predicted, strict=True)]))
    found = json.loads(call("evaluate", runs / "emotional", "--set", f"affective.root={other}", "--json").out)
    assert found["metrics"]["valence/rmse"] == pytest.approx(expected, abs=0.02)


def test_ratings_of_another_scale_are_converted(call, runs, tmp_path):
    """The same pictures with the same ratings written on 0..100: the same r and RMSE."""
    other = tmp_path / "other"
    shutil.copytree(runs.parent / "affective", other)
    rows = (other / "table.csv").read_text().splitlines()
    scaled = [f"{name},{(float(v) - 1) / 8 * 100:.4f}" for name, v in (row.split(",") for row in rows[1:])]
    (other / "table.csv").write_text("\n".join([rows[0], *scaled]) + "\n")
    changes = [f"affective.root={other}", 'affective.options.scale="0..100"']
    words = [word for change in changes for word in ("--set", change)]
    found = json.loads(call("evaluate", runs / "emotional", *words, "--json").out)
    expected = result(runs / "emotional")["metrics"]["test"]
    assert any("converted from 0..100 to the network's 1..9" in note for note in found["notes"])
    for metric in ("r", "valence/rmse", "valence/rmse_of_mean"):
        assert found["metrics"][metric] == pytest.approx(expected[metric], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none"], 1, "none"),
        (["runs/regulated", "--dataset", "cifr10"], 2, '"cifr10": unknown. Nearest: cifar10'),
        (["runs/regulated", "--set", "target.rot=x"], 2, 'key "target.rot": unknown. Nearest: target.root'),
        (["runs/emotional", "--dataset", "folder", "--set", "affective.root=target"], 1, "valence"),
        (["runs/regulated", "--dataset", "table", "--set", "target.root=affective"], 2, "table"),
    ],
)
def test_bad_input(call, runs, words, code, message):
    answer = call("evaluate", *words)
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.error


@pytest.mark.parametrize("key", ["model.backbone=resnet8", "augmentation.flip=0", "training.epochs=9"])
def test_a_key_that_scoring_does_not_use_is_refused(call, runs, key):
    answer = call("evaluate", runs / "regulated", "--set", key)
    assert answer.code == 2
    section, _, name = key.partition("=")[0].partition(".")
    assert f'--set {key}: "affekt evaluate" does not use [{section}] {name}' in answer.error


@pytest.mark.parametrize("name", ["emotional", "regulated"])
@pytest.mark.parametrize("change", [("--seed", "5"), ("--set", "SECTION.split_seed=7")])
def test_pictures_that_the_model_learned_from_are_no_test(call, runs, name, change):
    section = "affective" if name == "emotional" else "target"
    words = [word.replace("SECTION", section) for word in change]
    answer = call("evaluate", runs / name, *words)
    assert answer.code == 1 and answer.out == ""
    held = {split: set(ids_of(runs / name, split)) for split in ("test", "validation")}
    assert "pictures hold" in answer.error and "of its train" in answer.error
    assert len(held["test"] & held["validation"]) == 0
    assert call("evaluate", runs / name, "--seed", "0").code == 0
    assert call("evaluate", runs / name, *words, "--split", "train").code == 0


def ids_of(run, split):
    with np.load(run / "predictions.npz") as stored:
        return stored[f"{split}/ids"].tolist()


def test_a_run_folder_loads_as_its_model(runs):
    of_run, of_model = affekt.load(runs / "regulated"), affekt.load(str(runs / "regulated" / "model"))
    assert all(torch.equal(a, b) for a, b in zip(of_run.parameters(), of_model.parameters(), strict=True))
