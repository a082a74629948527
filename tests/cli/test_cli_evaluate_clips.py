"""``affekt evaluate`` on networks of sound and pictures: the run's own numbers, speakers, groups, other sets."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
from clip_files import write

import affekt
from affekt.cli.evaluate_clips import print_scored
from affekt.cli.scoring_clips import ScoredClips
from affekt.recipe import load_recipe, override
from affekt.study import train
from affekt.study.statistics.by_group import Bounded, ByGroup, GroupDifference, OfGroup
from affekt.training.classification import balanced_accuracy

pytest.importorskip("soundfile")

BRIEF = ["training.epochs=1", "clips.folds=2"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Clips of six speakers, and in ``run`` what a run over two folds of them left."""
    root = tmp_path_factory.mktemp("clips")
    train(override(load_recipe(write(root)), BRIEF), out=root / "run")
    return root


@pytest.fixture
def fold(root):
    return root / "run" / "folds" / "fold-1"


def evaluated(call, *words):
    answer = call("evaluate", *words, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_gives_the_numbers_of_the_run(call, fold, split):
    found = evaluated(call, fold, "--split", split)
    expected = json.loads((fold / "result.json").read_text())
    assert found["n"] == expected["n"][split]
    assert found["metrics"] == pytest.approx(expected["metrics"][split], abs=1e-5)


def test_each_speaker_and_group_is_told(call, fold):
    found = evaluated(call, fold / "model")
    with np.load(fold / "predictions.npz") as held:
        said = held["test/emotion/log_probabilities"].argmax(1)
        labels, speakers, loud = held["test/label/emotion"], held["test/groups"], held["test/label/voice"] == 0
    assert list(found["speakers"]["emotion"]) == np.unique(speakers).tolist()
    for who, of in found["speakers"]["emotion"].items():
        own = speakers == who
        expected = balanced_accuracy(said[own], labels[own])
        assert (of["n"], of["balanced_accuracy"]) == (8, pytest.approx(expected))
    (groups, *_) = found["groups"]["emotion"]["voice"]["groups"]
    assert groups["name"] == "loud" and groups["clips"] == loud.sum()
    assert groups["recall"]["value"] == pytest.approx(balanced_accuracy(said[loud], labels[loud]))
    text = call("evaluate", fold / "model").out
    assert "emotion/balanced_accuracy" in text and "confusion" not in text
    assert "voice loud - soft" in text and text.count("\ns") == len(np.unique(speakers)) + 1  # and the heading


def test_intervals_end_where_shares_and_their_differences_do(capsys):
    share, gap = Bounded(value=0.5, low=-0.25, high=1.25), Bounded(value=0.0, low=-1.75, high=1.75)
    groups = ByGroup(
        groups=(OfGroup(name="loud", clips=4, speakers=2, accuracy=share, recall=share),),
        differences=(GroupDifference(first="loud", second="soft", accuracy=gap, recall=gap),),
        classes=("a", "b"), notes=(), level=0.95,
    )  # fmt: skip
    print_scored(
        ScoredClips(
            model="m", dataset="d", split="test", n=4, metrics={}, notes=(), speakers={}, groups={"t": {"g": groups}},
            given="all",
        )
    )  # fmt: skip
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert next(line for line in lines if "loud" in line and "-" not in line)[-2:] == ["0", "1"]
    assert next(line for line in lines if "-" in line and "soft" in line)[-2:] == ["-1", "1"]


def test_train_names_a_model_that_can_be_scored(call, root):
    words = (
        "train",
        root / "small.toml",
        "--out",
        root / "run",
        "--set",
        "training.epochs=1",
        "--set",
        "clips.folds=2",
    )
    model = root / "run" / "folds" / "fold-0" / "model"
    assert f"model: {model} (the first of 2, one a fold)" in call(*words).err
    assert call("evaluate", model).code == 0


def test_a_run_over_folds_names_its_models(call, root):
    assert "this run has a model for each fold; name one of them" in call("evaluate", root / "run").error


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--split", "all"], "its 48 clips hold"),
        (["--set", "clips.fold=0"], "cut so"),
    ],
)
def test_what_it_learned_from_is_no_test(call, fold, words, what):
    answer = call("evaluate", fold, *words)
    assert (answer.code, answer.out) == (1, "")
    assert what in answer.error and "of its train" in answer.error and "clips of the model's run" in answer.error


def other_set(root, folder, change):
    """The same sounds in another folder, rows of their table changed by ``change``."""
    folder.mkdir()
    for path in root.glob("*.wav"):
        shutil.copy(path, folder)
    with (root / "table.csv").open() as file:
        rows = [change(row) for row in csv.DictReader(file)]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


def test_a_model_alone_is_scored_on_any_set_as_it_was_taught_to_read(call, root, fold, tmp_path):
    alone = tmp_path / "alone"
    shutil.copytree(fold / "model", alone)
    assert "say what to score it on: --dataset NAME" in call("evaluate", alone).error
    other_set(root, tmp_path / "set", lambda row: row)
    words = ["--dataset", "audiovisual-table", "--set", f"clips.root={tmp_path / 'set'}", "--split", "all"]
    found = evaluated(call, alone, *words)
    model = affekt.load(str(alone))
    assert (found["n"], found["metrics"]["emotion/n"]) == (48, 48)
    assert model.rate == 4000 and model.reading["mels"] == 8  # neither is the default, so both were taken over
    own = evaluated(call, fold, "--split", "test")["speakers"]["emotion"]
    assert {who: found["speakers"]["emotion"][who] for who in own} == own


def test_classes_that_the_network_does_not_know_are_left_out_and_counted(call, root, fold, tmp_path):
    first = {"s0-anger-0.wav": "fear", "s0-anger-1.wav": "fear"}
    other_set(root, tmp_path / "set", lambda row: {**row, "emotion": first.get(row["path"], row["emotion"])})
    words = ["--dataset", "audiovisual-table", "--set", f"clips.root={tmp_path / 'set'}", "--split", "all"]
    answer = call("evaluate", fold, *words, "--set", "clips.tasks=['emotion']", "--json")
    found = json.loads(answer.out)
    assert found["n"] == 46 and not any(name.startswith("voice/") for name in found["metrics"])
    assert found["metrics"]["nll"] == found["metrics"]["emotion/nll"]
    assert "left out, since the network knows no such class: 2 fear" in answer.err
    assert "voice is not scored: no labels of it were read" in answer.err


def test_a_set_of_other_answers_is_refused(call, root, fold, tmp_path):
    other_set(root, tmp_path / "set", lambda row: {**row, "emotion": "fear", "voice": "hoarse"})
    words = ["--dataset", "audiovisual-table", "--set", f"clips.root={tmp_path / 'set'}", "--split", "all"]
    assert "no clip has a label among the network's answers (emotion: anger" in call("evaluate", fold, *words).error


def test_given_the_sound_alone(call, fold):
    """A network of sound says of its sound what it says anyway; one that sees is in the tests of studies."""
    whole, alone = evaluated(call, fold), evaluated(call, fold, "--given", "audio")
    assert (whole["given"], alone["given"]) == ("all", "audio")
    assert alone["metrics"] == pytest.approx(whole["metrics"])
    assert "--given video: this network reads audio alone" in call("evaluate", fold, "--given", "video").error


def test_keys_of_pictures_and_sets_of_pictures_are_refused(call, fold):
    assert '"affekt evaluate" does not use [target] root' in call("evaluate", fold, "--set", "target.root=x").error
    assert "pictures, not clips" in call("evaluate", fold, "--dataset", "cifar10").error
