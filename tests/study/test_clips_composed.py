"""Composed clips are called composed wherever they appear: check, result, card, report, answers."""

import json
from pathlib import Path

import pytest
from clip_files import write

import affekt
from affekt.cli.study import print_comparison
from affekt.data.audiovisual import clip_dataset, open_pack, pack_clips
from affekt.data.audiovisual.checking import check_clips
from affekt.data.audiovisual.composed import RECORD, made_of, meaning
from affekt.multimodal import predict_clip
from affekt.recipe import load_recipe, override
from affekt.study import study, train, write_report

pytest.importorskip("soundfile")

SAID = meaning("emodb and ferplus")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("clips")
    (root / RECORD).write_text(json.dumps({"composed": True, "sound": "emodb", "faces": "ferplus"}))
    return write(root)


@pytest.fixture(scope="module")
def recipe(path):
    return override(load_recipe(path), ["training.epochs=1"])


@pytest.fixture(scope="module")
def run(recipe, tmp_path_factory):
    return train(override(recipe, ["clips.fold=1"]), out=tmp_path_factory.mktemp("runs") / "run")


@pytest.mark.parametrize(
    ("record", "sets"),
    [
        ({"composed": True, "sound": "a", "faces": "b"}, "a and b"),
        ({"composed": True}, "one set and another"),
        ({"composed": False, "sound": "a", "faces": "b"}, ""),
        ([], ""),
    ],
)
def test_the_record_says_what_clips_are_composed_of(record, sets, tmp_path):
    assert made_of(tmp_path) == ""
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert made_of(tmp_path) == sets
    (tmp_path / RECORD).write_text("{")
    assert made_of(tmp_path) == "one set and another"


def test_check_and_pack_say_it(path, tmp_path):
    described = clip_dataset("audiovisual-table")
    settings = described.settings(tasks="emotion", rate=4000)
    report = check_clips(described, path.parent, settings, decode=False)
    assert report.notes[0] == f"audiovisual-table: {SAID}"
    pack_clips(described.clips(path.parent, settings), tmp_path / "pack")
    assert open_pack(tmp_path / "pack").composed == "emodb and ferplus"


def test_result_and_card_say_it(run):
    result = json.loads((run.folder / "result.json").read_text())
    assert f"audiovisual-table: {SAID}" in result["notes"]
    card = (run.model / "README.md").read_text()
    assert f"- **Composed clips** ({SAID}). Licence: that of emodb and ferplus, both." in card


def test_every_answer_says_it(run, path):
    answer = predict_clip(affekt.load(run.model), path.parent / "s0-anger-0.wav")
    assert answer.notes[0] == f"this network learned from clips {SAID}"


def test_the_terminal_says_it_once_for_all_files(run, path, capsys):
    from affekt.cli import main

    assert main(["predict", str(run.model), *map(str, sorted(path.parent.glob("s0-*.wav"))[:3])]) == 0
    assert capsys.readouterr().err.count(SAID) == 1


def test_the_study_says_it(recipe, tmp_path, capsys):
    chosen = override(recipe, ["study.conditions=['uniform', 'softmax']", "study.seeds=1", "study.comparisons=[]"])
    done = study(chosen, out=tmp_path / "study", workers=1)
    assert done.comparison["composed"] == "emodb and ferplus"
    assert f"audiovisual-table: {SAID}" in done.comparison["notes"]
    write_report(done.folder)
    page = Path(done.folder / "report.html").read_text()
    assert "48 composed test clips of 6 speakers" in page
    assert f"Anything about the world: the clips are {SAID}." in page
    assert f"<strong>Composed clips</strong> ({SAID})" in page
    print_comparison(done.comparison)
    assert "On 48 composed test clips of 6 speakers:" in capsys.readouterr().out
