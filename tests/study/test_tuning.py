"""Learning rates: every condition tries the same grid, on validation, with a seed of its own, and keeps the best."""

import json

import numpy as np
import pytest
import small_recipe

from affekt.errors import AffektError, RecipeError
from affekt.recipe import load_recipe, override
from affekt.study.comparison import compare_folder
from affekt.study.jobs import tuning_folder
from affekt.study.planning import plan
from affekt.study.report.study_tables import tables
from affekt.study.studying import study
from affekt.study.tuning import choose, jobs_of, tuning_seed

CHANGES = [
    'study.conditions=["baseline","ensemble-2","linear-probe","mixture","learn-e-reg"]',
    "study.learning_rates=[0.05, 0.001, 1e30]",
    "study.seeds=1",
    "study.draws=200",
    'study.chain=["baseline","mixture","learn-e-reg"]',
    "training.epochs=1",
    "emotional.training.epochs=1",
    *small_recipe.ONE_THREAD,
    "conditions.mixture.training.learning_rate=0.02",
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return override(load_recipe(small_recipe.write(tmp_path_factory.mktemp("data"), epochs=1, contrast=20)), CHANGES)


@pytest.fixture(scope="module")
def done(recipe, tmp_path_factory):
    said = []
    return study(recipe, out=tmp_path_factory.mktemp("study") / "st", say=said.append), said


def learned(folder, condition):
    return load_recipe(folder / "runs" / condition / "seed-0" / "recipe.toml").training.learning_rate


def test_the_best_on_validation_is_kept_and_runs_use_it(done):
    folder = done[0].folder
    held = json.loads((folder / "tuning.json").read_text())
    assert held["rates"] == [0.001, 0.05, 1e30]
    assert set(held["conditions"]) == {"baseline", "learn-e-reg"}
    for name, tuned in held["conditions"].items():
        tried = []
        for rate in held["rates"]:
            path = folder / tuning_folder(name, rate) / "result.json"
            tried.append(json.loads(path.read_text())["metrics"]["validation"]["accuracy"] if path.exists() else None)
        assert tuned["scores"] == tried
        best = max(score for score in tried if score is not None)
        assert tuned["chosen"] == held["rates"][tried.index(best)]  # of equals the lowest
        assert learned(folder, name) == tuned["chosen"]
        assert tuned["edge"] == (tuned["chosen"] in (0.001, 1e30))


def test_what_has_a_rate_of_its_own_keeps_it_and_ensembles_have_the_baselines(done):
    folder = done[0].folder
    assert learned(folder, "mixture") == 0.02
    assert learned(folder, "ensemble-2") == learned(folder, "baseline")
    assert not (folder / "tuning" / "mixture").exists() and not (folder / "tuning" / "linear-probe").exists()


def test_a_rate_that_fails_is_not_chosen_and_is_no_failure_of_the_study(done):
    result, said = done
    assert result.failed == {} and result.comparison["failed"] == []
    assert any("learning rate 1e+30 failed" in line for line in said)


def test_no_test_picture_is_looked_at(done):
    folder = done[0].folder
    trials = sorted((folder / "tuning").rglob("result.json"))
    assert trials
    for path in trials:
        assert set(json.loads(path.read_text())["metrics"]) == {"train", "validation"}
        with np.load(path.with_name("predictions.npz")) as found:
            assert not any(name.startswith("test/") for name in found.files)


def test_with_a_seed_that_no_run_has(done, recipe):
    seeds = {job.recipe.seed for job in jobs_of(plan(recipe)) if job.kind == "tune"}
    assert seeds == {tuning_seed(recipe)}
    assert tuning_seed(recipe) > 1000


def test_called_again_nothing_is_tried_again(done, recipe):
    folder = done[0].folder
    before = {p: p.stat().st_mtime_ns for p in (folder / "tuning").rglob("result.json")}
    said = []
    again = study(recipe, out=folder, say=said.append)
    assert {p: p.stat().st_mtime_ns for p in (folder / "tuning").rglob("result.json")} == before
    # Only what had failed is tried once more.
    assert all("1e+30 failed" in line for line in said if " of " in line)
    assert again.comparison == done[0].comparison


def test_the_table_says_what_was_tried(done):
    text = tables(done[0].comparison, "markdown", only="tuning")
    assert "failed" in text and "0.001" in text and "n = 1" in text


def test_every_rate_failed(recipe, tmp_path):
    planned = plan(recipe)
    with pytest.raises(AffektError, match="every learning rate"):
        choose(planned, tmp_path)


def test_a_damaged_file_is_named(done, tmp_path):
    (tmp_path / "tuning.json").write_text("{")
    with pytest.raises(AffektError, match=r"tuning.json: damaged"):
        compare_folder(tmp_path, done[0].frame)


@pytest.mark.parametrize("rates", ["[0.0]", "[-1.0]", "[0.1, 0.1]"])
def test_rates_that_cannot_be(recipe, rates):
    with pytest.raises(RecipeError, match="learning_rates"):
        plan(override(recipe, [f"study.learning_rates={rates}"]))
