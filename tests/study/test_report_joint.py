"""Joint losses in the report: unweighted, their sum, Delta_p against single tasks, weights and cosines over time."""

import json

import numpy as np
import pytest
from synthetic_study import write

from affekt.report.drawing import NARROW, WIDE, as_svg, styled
from affekt.report.table import as_markdown
from affekt.study.report import charts, write_report
from affekt.study.report.joint import Joint, changes_of, read_joint
from affekt.study.report.joint_table import joint_table

TASKS = ("emotion", "gender")
LOSSES = {
    "softmax": {"emotion": 0.9, "gender": 0.3},
    "uniform": {"emotion": 0.8, "gender": 0.4},
    "only-emotion": {"emotion": 1.0, "gender": 0.7},
    "only-gender": {"emotion": 1.4, "gender": 0.5},
}


def study(folder, seeds=(0, 1)):
    """A synthetic study whose runs have two losses; the softmax's weights drift."""
    write(folder, conditions=("baseline", *LOSSES), seeds=seeds)
    for name, losses in LOSSES.items():
        for seed in seeds:
            run = folder / "runs" / name / f"seed-{seed}"
            shifted = {task: value + 0.02 * seed for task, value in losses.items()}
            (run / "result.json").write_text(json.dumps({"losses": {"test": shifted}}))
            alone = name.removeprefix("only-") if name.startswith("only") else ""
            rule = f'[weighting]\nname = "single"\noptions = {{task = "{alone}"}}\n' if alone else ""
            (run / "recipe.toml").write_text(f'name = "synthetic"\n{rule}')
            (run / "log.jsonl").write_text(log(name, seed))
    return folder


def log(name, seed):
    lines = []
    for epoch in range(1, 5):
        drift = np.linspace(0.5, 0.02, 400)[100 * (epoch - 1) : 100 * epoch] if name == "softmax" else [0.5] * 100
        every = {"emotion": list(drift), "gender": [1 - w for w in drift]}
        weights = {task: values[-1] for task, values in every.items()}
        steps = {"weights_of_steps": every} if name == "softmax" else {}
        lines.append({"kind": "train", "step": 100 * epoch, "epoch": epoch, "losses": {}, "weights": weights, **steps})
        cosine = {"emotion ~ gender": 0.4 - 0.2 * epoch + 0.05 * seed}
        metrics = {"accuracy": 0.5}
        lines.append({"kind": "validation", "epoch": epoch, "metrics": metrics, "gradient_cosine": cosine})
    return "".join(json.dumps(line) + "\n" for line in lines)


def joints(folder, seeds=(0, 1)):
    runs = [(name, seed, folder / "runs" / name / f"seed-{seed}") for name in ("baseline", *LOSSES) for seed in seeds]
    return read_joint(runs)


def test_reads_conditions_of_several_losses(tmp_path):
    found, notes = joints(study(tmp_path))
    assert notes == []
    assert [joint.condition for joint in found] == list(LOSSES)
    assert [joint.alone for joint in found] == ["", "", "emotion", "gender"]
    softmax = found[0]
    assert softmax.mean("emotion") == pytest.approx(0.91)
    tasks, steps, weights = softmax.weights[0]
    assert tasks == TASKS
    assert steps.tolist() == list(range(1, 401))
    assert weights[-1].tolist() == pytest.approx([0.02, 0.98])
    assert softmax.cosines[1]["emotion ~ gender"] == ([1, 2, 3, 4], pytest.approx([0.25, 0.05, -0.15, -0.35]))


def test_delta_p_is_against_the_conditions_of_one_task():
    every = [Joint(condition=n, alone=n.removeprefix("only-") if "only" in n else "") for n in LOSSES]
    for joint in every:
        joint.losses = {0: LOSSES[joint.condition]}
    # emotion 1.0 -> 0.9, gender 0.5 -> 0.3: 10 % and 40 % better
    assert changes_of(every[0], every) == {"delta_p": pytest.approx(0.25), "delta_p_seeds": 1}
    assert changes_of(every[1], every)["delta_p"] == pytest.approx(0.2)
    assert changes_of(every[2], every)["delta_p"] is None
    assert changes_of(every[0], every[:3])["delta_p"] is None
    every[2].losses = {1: LOSSES["only-emotion"]}
    assert changes_of(every[0], every)["delta_p"] is None  # no seed that all have


def test_table(tmp_path):
    table = joint_table({"n_items": 200}, joints(study(tmp_path))[0])
    text = as_markdown(table)
    assert "| softmax | 2 | 0.910 | 0.310 | 1.220 | +24.56 |" in text
    assert "| only-emotion | 2 | 1.010\\* | 0.710 | 1.720 | – |" in text
    assert "says nothing beside another's" in text
    alone = joint_table({"n_items": 200}, joints(tmp_path)[0][:2])
    assert "Delta_p" not in as_markdown(alone)


def test_charts(tmp_path):
    found = joints(study(tmp_path))[0]
    weights, cosines = charts.weights_over_time(found), charts.gradient_cosines(found)
    assert {record["condition"] for record in weights.table.records} == {"softmax"}
    assert len(weights.table.records) == 2 * 200
    last = [r for r in weights.table.records if r["task"] == "emotion"][-1]
    assert (last["step"], last["share"]) == (399.5, pytest.approx(0.0206, abs=1e-3))
    assert "softmax: emotion 2.1 %, gender 97.9 %" in weights.alt
    assert {record["condition"] for record in cosines.table.records} == set(LOSSES)
    with styled():
        for chart in (weights, cosines):
            for width in (WIDE, NARROW):
                assert "<svg" in as_svg(chart.draw(width))
    assert charts.weights_over_time(found[1:]) is None
    assert charts.gradient_cosines([]) is None


def test_report_has_the_section(tmp_path):
    files = write_report(study(tmp_path), pictures=False)
    names = {path.relative_to(tmp_path).as_posix() for path in files}
    assert {"figures/weights.svg", "figures/gradient-cosine.svg", "tables/joint-losses.csv"} <= names
    page = (tmp_path / "report.html").read_text()
    assert "Joint losses" in page
    assert "tables/joint-losses.csv" in names


def test_damaged_runs_are_left_out_with_a_note(tmp_path):
    study(tmp_path)
    (tmp_path / "runs" / "softmax" / "seed-0" / "log.jsonl").write_text("{")
    (tmp_path / "runs" / "uniform" / "seed-1" / "result.json").write_text("[]")
    found, notes = joints(tmp_path)
    assert sorted(found[0].losses) == [1]
    assert len(notes) == 2
    assert notes[0].startswith("softmax, seed 0: its losses cannot be read")


def test_one_loss_is_no_joint_model(tmp_path):
    write(tmp_path)
    (tmp_path / "runs" / "mixture" / "seed-0" / "result.json").write_text('{"losses": {"test": {"class": 1.0}}}')
    assert read_joint([("mixture", 0, tmp_path / "runs" / "mixture" / "seed-0")]) == ([], [])
