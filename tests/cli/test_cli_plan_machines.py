"""``affekt plan --machine`` and ``affekt doctor --measure``: tables, JSON, and bad calls in one line."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from affekt.cli import plan_machines
from affekt.cli.plan_machines import shipped_machines
from affekt.recipe import load_recipe, override, to_toml
from affekt.study.machines.changes import Change
from affekt.study.machines.machine import read_machine, write_machine

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
import small_recipe
from small_machine import CORE

CHANGES = ['study.conditions=["baseline","learn-e-reg"]', "study.seeds=2"]
PAPER = ["affective.name=abstract", "affective.options={}", "emotional.ratings=[]", "emotional.categories=votes"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    recipe = override(load_recipe(small_recipe.write(root, epochs=1)), CHANGES)
    (root / "study.toml").write_text(to_toml(recipe))
    return root / "study.toml"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    path = tmp_path_factory.mktemp("machines") / "core.json"
    write_machine(replace(CORE, rates={"fp32": 1e11}, error=0.07), path)
    return path


def test_a_plan_on_machines(call, path, machine, tmp_path):
    answer = call("plan", path, "--machine", machine, "--machines", "1,2", 3, "--out", tmp_path / "st")
    assert answer.code == 0, answer.err
    assert "On a core, predicted (a network that had no part in its measuring was typically 7 % off):" in answer.out
    assert "With one thing changed:" in answer.out and "study.seeds=1" in answer.out
    assert "On this machine" not in answer.out and "20 steps" not in answer.err
    assert not (tmp_path / "st").exists()
    counts = [line.split()[0] for line in answer.out.partition("until the end")[2].splitlines()[2:5]]
    assert counts == ["1", "2", "3"]
    assert answer.err.count("counting baseline") == 1


def test_without_a_machine_what_would_halve_it_is_said_by_flops(call, path):
    answer = call("plan", path, "--no-probe")
    assert answer.code == 0, answer.err
    assert "of the FLOPs" in answer.out and "study.seeds=1" in answer.out and "bf16" not in answer.out
    assert "of the time" not in answer.out
    found = json.loads(call("plan", path, "--no-probe", "--json").out)
    halved = next(change for change in found["changes"] if change["overrides"] == ["study.seeds=1"])
    assert halved["factor"] == pytest.approx(0.5) and found["machines"] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("", 0.6)], "none of them halves it"),
        ([("fewer", 0.4), ("", 0.7)], "none that halves it leaves the question as it is"),
        ([("", 0.5)], ""),
    ],
)
def test_whether_a_change_halves_it_and_leaves_the_question(capsys, changes, said):
    found = [Change(overrides=("a=1", "b=2"), asks=asks, factor=f) for asks, f in changes]
    plan_machines.print_changes(found, of="time")
    out = capsys.readouterr().out
    assert "a=1 --set b=2" in out and ("the same" in out) == any(not asks for asks, _ in changes)
    assert out.splitlines()[-1].strip() == said if said else "halves" not in out


def test_the_same_as_json(call, path, machine):
    found = json.loads(call("plan", path, "--json", "--machine", machine, "--machines", "2,", "1,1").out)
    (one,) = found["machines"]
    assert one["machine"] == "a core" and one["error"] == 0.07
    assert [row["machines"] for row in one["machines"]] == [1, 2]
    assert one["machines"][0]["seconds"] == pytest.approx(one["seconds"])
    assert one["seconds"] == pytest.approx(sum(t["jobs"] * t["seconds"] for t in one["trainings"]))
    assert {"overrides", "asks", "factor"} == one["changes"][0].keys()
    assert found["changes"] == []


def test_on_paper_no_data_need_be_there(call, path, machine, tmp_path):
    root = ["--data-root", tmp_path, "--set", "affective.root=", "--set", "target.root="]
    changed = [word for text in [*PAPER, "target.name=cifar10"] for word in ("--set", text)]
    answer = call("plan", path, *root, *changed, "--machine", machine, "--on-paper")
    assert answer.code == 0, answer.err
    assert call("plan", path, *root, *changed, "--on-paper", "--no-probe").code == 0
    assert "--no-probe" in call("plan", path, *root, *changed, "--on-paper").error
    assert call("plan", path, *root, *changed, "--machine", machine).code == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--machine", "missing.json"], 1, "missing.json: No such file or directory; measure a machine with"),
        (["--machine", "toaster"], 2, 'machine "toaster": unknown.'),
        (["--machine", "{machine}", "--machines", "0"], 2, "1 or more"),
        (["--machine", "{machine}", "--machines", "1,x"], 2, '"x": a whole number, 1 or more'),
        (["--machine", "{machine}", "--set", "training.precision=bf16"], 2, 'measured in fp32, not in "bf16"'),
        (["--machines", "8"], 2, "--machines: of which machine?"),
        (["--machine", "{path}"], 1, "no file of a machine"),
        (["--machine", "{machine}", "--on-paper"], 1, "without the data; leave out --on-paper"),
    ],
)
def test_a_wrong_call_is_one_line(call, path, machine, words, code, message):
    name = str(path.with_suffix(".json")) if "{path}" in words else ""
    if name:
        Path(name).write_text(path.read_text())
    answer = call("plan", path, *(word.format(machine=machine, path=name) for word in words))
    assert answer.code == code and message in answer.error, answer.err


def test_clips_are_refused_in_one_line(call, machine):
    answer = call("plan", "emodb-study", "--machine", machine)
    assert answer.code == 2 and "steps of clips are timed here" in answer.error


def test_shipped_machines_are_read_and_say_what_they_were_measured_on():
    for name, file in shipped_machines().items():
        machine = read_machine(file)
        assert machine.measured and machine.versions["torch"], name
        assert all(step["seconds"] > 0 for step in machine.measured)


def test_a_machine_is_never_overwritten(call, machine):
    before = machine.read_text()
    answer = call("doctor", "--measure", machine)
    assert answer.code == 2 and "is not overwritten" in answer.error
    assert machine.read_text() == before
    assert call("doctor", "--measure", machine.with_name("other.json"), "--device", "toaster").code == 2
