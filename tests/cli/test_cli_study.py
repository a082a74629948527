"""``affekt study``, ``plan`` and ``report``: tables, JSON, exit codes, and what a hurried user gets back."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from affekt.recipe import load_recipe, override, to_toml

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
import small_recipe

CHANGES = [
    'study.conditions=["baseline","longer","learn-e-reg"]',
    'study.chain=["baseline","learn-e-reg"]',
    "study.seeds=2",
    "study.draws=200",
    "training.threads=1",
    "emotional.training.threads=1",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    recipe = override(load_recipe(small_recipe.write(root, epochs=1, contrast=6)), CHANGES)
    (root / "study.toml").write_text(to_toml(recipe))
    return root / "study.toml"


def test_a_study_and_its_report(call, path, tmp_path):
    answer = call("study", str(path), "--out", str(tmp_path / "st"))
    assert answer.code == 0, answer.err
    assert "learn-e-reg - baseline" in answer.out
    assert "baseline -> learn-e-reg" in answer.out
    assert "better / worse: the Holm-adjusted p" in answer.out
    assert answer.out.splitlines()[-1] == f"report: {tmp_path / 'st/report.html'}"
    assert "8 of 8: learn-e-reg, seed 1 finished" in answer.err
    again = json.loads(call("study", str(path), "--out", str(tmp_path / "st"), "--json").out)
    assert again["runs"] == {"finished": 6, "declared": 6}
    assert again["report"] == str(tmp_path / "st/report.html")
    latex = call("report", str(tmp_path / "st"), "--format", "latex").out
    assert r"\begin{tabular}" in latex
    one = call("report", str(tmp_path / "st"), "--format", "csv", "--table", "conditions").out
    assert [row["condition"] for row in csv.DictReader(io.StringIO(one))][:3] == ["baseline", "longer", "learn-e-reg"]
    assert "add --format csv" in call("report", str(tmp_path / "st"), "--table", "conditions").err
    (tmp_path / "st/report.html").unlink()
    assert call("report", str(tmp_path / "st"), "--items", str(tmp_path / "items.csv")).code == 0
    assert not (tmp_path / "st/report.html").exists()  # only what was asked for
    page = call("report", str(tmp_path / "st"), "--no-pictures")
    assert page.code == 0
    assert "data:image/png" not in (tmp_path / "st/report.html").read_text()


def test_a_plan_costs_nothing_and_writes_nothing(call, path, tmp_path):
    answer = call("plan", str(path), "--out", str(tmp_path / "st"))
    assert answer.code == 0, answer.err
    assert "emotional encoder" in answer.out
    assert "of memory" in answer.out
    assert not (tmp_path / "st").exists()
    found = json.loads(call("plan", str(path), "--json", "--seeds", "4").out)
    assert found["seeds"] == [0, 1, 2, 3]
    assert {t["name"]: t["jobs"] for t in found["trainings"]} == {
        "baseline": 4, "longer": 4, "emotional encoder": 4, "learn-e-reg": 4,
    }  # fmt: skip
    assert found["seconds"] == pytest.approx(sum(t["jobs"] * t["seconds"] for t in found["trainings"]))
    costs = {c["condition"]: c for c in found["conditions"]}
    assert costs["learn-e-reg"]["total"] > costs["baseline"]["total"]
    assert costs["learn-e-reg"]["pretraining_flops"] > 0


def test_a_plan_without_probe_only_counts(call, path):
    answer = call("plan", str(path), "--no-probe")
    assert answer.code == 0
    assert "seconds a step" not in answer.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--set", 'study.conditions=["learn-e-reg","wide-totl"]'],
            'condition "wide-totl": unknown. Nearest: wide-total',
        ),
        (["--executor", "slrum"], "slurm"),
        (["--workers", "0"], "1 or more"),
        (["--workers", "1000"], "--workers 1000: this machine has"),
        (["--slurm", "partition=gpu"], "--slurm partition=gpu: is for slurm; write --executor slurm"),
        (["--executor", "slurm", "--slurm", "gpu"], "--slurm gpu: KEY=VALUE was expected"),
        (["--seeds", "0"], "1 or more"),
        (["--seed", "3"], "unknown"),
        (["--set", "study.method=mixtur"], 'condition "mixtur": unknown. Nearest: mixture'),
    ],
)
def test_a_wrong_call_is_one_line(call, path, tmp_path, words, message):
    answer = call("study", str(path), "--out", str(tmp_path / "st"), *words)
    assert answer.code == 2
    assert message in answer.error
    assert not (tmp_path / "st").exists()


def test_a_report_of_no_study(call, tmp_path):
    answer = call("report", str(tmp_path))
    assert answer.code == 1
    assert "run it first: affekt study RECIPE" in answer.error
