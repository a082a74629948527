"""What a training or a study of clips says before it begins."""

import json

import pytest
from clip_files import write

from affekt.recipe import load_recipe, override
from affekt.study import plan, study, train
from affekt.study.clips.cautions import ONE_CLASS, over_folds, undeclared
from affekt.training.progress import NoProgress

pytest.importorskip("soundfile")

UNSURE = f"{ONE_CLASS}voice: its recall says little, and the weights are chosen by it"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Of the six speakers one is for validation, and has one voice."""
    return override(load_recipe(write(tmp_path_factory.mktemp("clips"))), ["training.epochs=1"])


class Lines(NoProgress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_a_run_says_it_before_it_trains_and_in_its_result(recipe, tmp_path):
    told = Lines()
    run = train(override(recipe, ["clips.fold=1"]), out=tmp_path / "run", progress=told)
    assert told.lines[0].startswith(f"note: {UNSURE}")
    notes = json.loads((run.folder / "result.json").read_text())["notes"]
    assert sum(note.startswith(UNSURE) for note in notes) == 1


def test_a_plan_says_of_which_conditions_in_how_many_folds(recipe):
    lines = [line for line in plan(recipe).cautions if ONE_CLASS in line]
    assert lines[0].startswith(f"uniform, softmax, voice-only: {UNSURE}")
    assert 'write [training] select = "last", or another [clips] validation' in lines[0]


@pytest.mark.parametrize("keys", [["training.select=last"], ["clips.validation=0.0"], ["network.tasks=['emotion']"]])
def test_nothing_is_said_where_nothing_is_chosen_by_one_class(recipe, keys):
    kept = override(
        recipe, [*keys, "study.conditions=['uniform', 'softmax']", "study.comparisons=['softmax - uniform']"]
    )
    assert plan(kept).cautions == ()


def test_a_training_that_stops_early_is_chosen_by_it_too(recipe):
    stopped = override(recipe, ["training.select=last", "training.early_stop=2"])
    assert any(ONE_CLASS in line for line in plan(stopped).cautions)


def test_folds_are_counted():
    line = f"{ONE_CLASS}voice: x"
    assert over_folds([[line], ["other"], [line, f"{ONE_CLASS}age: x"]]) == [
        f"in 2 of 3 folds {line}", f"in 1 of 3 folds {ONE_CLASS}age: x",
    ]  # fmt: skip
    assert over_folds([[line], [line]]) == [line]


def test_a_study_without_comparisons_says_so_first_and_at_the_end(recipe, tmp_path):
    asked = ["study.comparisons=[]", "study.conditions=['uniform', 'softmax']", "study.seeds=1", "clips.folds=2"]
    lines = []
    done = study(override(recipe, asked), out=tmp_path / "study", workers=1, say=lines.append)
    none = undeclared(["uniform", "softmax"])
    assert none.endswith('comparisons = ["softmax - uniform"], or reference = "uniform" to hold every other against it')
    assert lines[0] == f"note: {none}"
    assert done.comparison["verdict"]["sentence"] == f"Nothing is compared: {none}."


def test_a_reference_declares_the_others_against_it(recipe):
    asked = override(recipe, ["study.comparisons=[]", "study.reference=uniform"])
    assert not [line for line in plan(asked).cautions if "comparison" in line]
