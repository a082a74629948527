"""``affekt pretrain`` and ``affekt train``: folders, tables, and what bad input gets."""

import json
import os
import re

import pytest

import affekt
from affekt.study import RunResult


def files(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_prints_its_metrics_and_says_where_the_model_is(call, small):
    answer = call("pretrain", "small.toml")
    assert answer.code == 0
    head, _, first = answer.out.splitlines()[:3]
    assert head.split() == ["metric", "train", "validation", "test"]
    assert first.split()[0] == "r"
    assert "model: runs/small/emotional/seed-0/model" in answer.err
    assert isinstance(affekt.load("runs/small/emotional/seed-0/model"), affekt.AffectNetwork)


def test_json_goes_to_stdout_and_the_log_to_stderr(call, small):
    answer = call("train", "small.toml", "--condition", "baseline", "--seed", "3", "--json")
    found = json.loads(answer.out)
    assert found["folder"] == "runs/small/baseline/seed-3"
    assert 0 <= found["metrics"]["test"]["accuracy"] <= 1
    assert "validation accuracy" in answer.err
    recipe = (small / found["folder"] / "recipe.toml").read_text()
    assert "seed = 3" in recipe
    assert 'kind = "classifier"' in recipe


def test_of_several_processes_one_prints(call, small, monkeypatch):
    monkeypatch.setattr("affekt.training.distributed.is_main", lambda: False)
    silent = RunResult(folder=small, model=small, metrics={}, seconds=0)
    monkeypatch.setattr("affekt.study.run.train", lambda *_, **__: silent)
    answer = call("train", "small.toml", "--json")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_set_changes_the_recipe_of_the_run(call, small):
    call("train", "small.toml", "--condition", "baseline", "--set", "training.epochs=2", "--out", "run")
    lines = [json.loads(line) for line in (small / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines if line["kind"] == "validation"] == [1, 2]


def test_the_same_call_again_computes_nothing(call, small):
    words = ("train", "small.toml", "--condition", "brief", "--set", "model.kind=classifier", "--out", "run", "--json")
    first = call(*words)
    before = files(small / "run")
    again = call(*words)
    assert files(small / "run") == before
    assert json.loads(again.out)["metrics"] == json.loads(first.out)["metrics"]


def test_an_affect_network_can_be_given(call, small, small_runs):
    answer = call(
        "train", "small.toml", "--emotional", small_runs / "emotional" / "model", "--out", "run", "--json",
        "--set", "regulation.regulator=valence",
    )  # fmt: skip
    assert answer.code == 0
    assert not (small / "run" / "emotional").exists()
    assert isinstance(affekt.load("run/model"), affekt.EmotionalRegulation)


def spoil(small, name):
    """Make one thing wrong in the working folder."""
    target, table = small / "target", small / "affective" / "table.csv"
    match name:
        case "undecodable":
            (target / "dark" / "3.png").write_bytes(b"no picture")
        case "empty class":
            (target / "medium").mkdir()
        case "missing file":
            (small / "affective" / "7.png").unlink()
        case "outside the scale":
            table.write_text(re.sub("0.png,.*", "0.png,11", table.read_text(), count=1))
        case "foreign folder":
            (small / "run").mkdir()
            (small / "run" / "thesis.txt").write_text("mine")
        case "read-only":
            (small / "run").write_text("a file")


BAD = [
    ("train", "nope", [], 2, 'recipe "nope": unknown'),
    ("train", "nope.toml", [], 2, "recipe nope.toml: no such file; ready ones: affekt recipes"),
    ("train", "small.toml", ["--condition", "basline"], 2, 'condition "basline": unknown. Nearest: baseline'),
    (
        "train",
        "small.toml",
        ["--set", "training.epoch=3"],
        2,
        'key "training.epoch": unknown. Nearest: training.epochs',
    ),
    ("train", "small.toml", ["--set", "training.epochs=x"], 2, "a whole number was expected"),
    ("train", "small.toml", ["--set", "target.name=cifr10"], 2, '"cifr10": unknown. Nearest: cifar10'),
    ("train", "small.toml", ["--set", "target.root=none"], 1, "no folder none"),
    ("train", "small.toml", ["--set", "model.backbone=resent8"], 2, '"resent8": unknown. Nearest: resnet8'),
    ("train", "small.toml", ["--set", "model.backbone=resnet14-w4"], 2, "Influences that work: concatenated, added"),
    ("train", "small.toml", ["--set", "emotional.ratings=['arousal']"], 2, "arousal"),
    ("train", "small.toml", ["--emotional", "none"], 2, "[emotional] model = 'none'"),
    ("train", "small.toml", ["--data-root", "none"], 1, "--data-root none: no such folder"),
    ("pretrain", "small.toml", ["--set", "emotional.ratings=[]"], 2, "no head"),
]


@pytest.mark.parametrize(("verb", "recipe", "words", "code", "message"), BAD, ids=[b[4][:25] for b in BAD])
def test_wrong_recipes_get_one_line_and_leave_nothing(call, small, verb, recipe, words, code, message):
    answer = call(verb, recipe, *words, "--out", "run")
    assert message in answer.error
    assert (answer.code, answer.out) == (code, "")
    assert not (small / "run").exists()


@pytest.mark.parametrize(
    ("verb", "name", "message"),
    [
        ("train", "undecodable", "3.png: cannot be decoded as a picture"),
        ("train", "empty class", "medium"),
        ("pretrain", "missing file", "7.png"),
        ("pretrain", "outside the scale", "outside the scale"),
        ("train", "foreign folder", "run: not empty and not a run of affekt"),
        ("train", "read-only", "run"),
    ],
)
def test_wrong_data_and_folders_get_one_line(call, small, verb, name, message):
    spoil(small, name)
    before = files(small)
    answer = call(verb, "small.toml", "--out", "run", *(["--condition", "baseline"] if verb == "train" else []))
    assert answer.code in (1, 2)
    assert message in answer.error
    assert answer.out == ""
    after = files(small)
    assert {path: after.get(path) for path in before} == before


def test_missing_pictures_may_be_allowed_and_the_result_says_how_many(call, small):
    spoil(small, "missing file")
    answer = call("pretrain", "small.toml", "--out", "run", "--set", "affective.allow_missing=true")
    assert answer.code == 0
    assert json.loads((small / "run" / "result.json").read_text())["missing"] == 1


def test_a_folder_that_holds_another_recipe_is_refused(call, small):
    words = ("train", "small.toml", "--condition", "baseline", "--out", "run", "--set")
    assert call(*words, "training.epochs=1").code == 0
    before = files(small / "run")
    answer = call(*words, "training.epochs=2")
    assert answer.code == 2
    assert "holds a run of another recipe; keys that differ: training.epochs (" in answer.error
    assert files(small / "run") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_place_is_said(call, small):
    (small / "place").mkdir(mode=0o500)
    answer = call("train", "small.toml", "--condition", "baseline", "--out", "place/run")
    assert answer.code == 1
    assert "place/run" in answer.error


def test_as_a_process_of_its_own(spawn, small):
    answer = spawn("train", small / "small.toml", "--condition", "basline")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "Nearest: baseline" in answer.error


def test_pretrain_says_where_its_keys_stand(call, small):
    answer = call("pretrain", "small.toml", "--set", "training.epochs=3")
    assert answer.code == 2
    assert answer.error == (
        '--set training.epochs=3: "affekt pretrain" does not use [training] epochs; '
        "write --set emotional.training.epochs=..."
    )
