"""Full memory, in a run: refused in one line, gone on with once halving is allowed, and said in result and report."""

import json
import re

import pytest
import small_recipe
import torch

from affekt.errors import TrainingError
from affekt.recipe import change, load_recipe
from affekt.study.run import train
from affekt.study.studying import study
from affekt.training import descent


@pytest.fixture
def small_memory(monkeypatch):
    """Memory for four pictures at once."""
    real = descent.ByScalar.step

    def step(self, parts, size):
        if len(parts[0]) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(self, parts, size)

    monkeypatch.setattr(descent.ByScalar, "step", step)


def test_a_run_refused_goes_on_in_its_folder(small_memory, tmp_path):
    recipe = load_recipe(small_recipe.write(tmp_path, epochs=1))
    assert recipe.training.batch_size == 8
    with pytest.raises(TrainingError, match=r"4 items at once fit \(tried\): set \[training\] accumulate = 2"):
        train(recipe, out=tmp_path / "run", condition="baseline")
    allowed = change(recipe, {"training.halve_when_full": True})
    result = train(allowed, out=tmp_path / "run", condition="baseline")
    note = "memory was full: batches of 8 in 2 parts from step 1 on"
    assert note in result.notes
    assert note in json.loads((tmp_path / "run/result.json").read_text())["notes"]
    # The finished run is the recipe's, with and without.
    assert train(recipe, out=tmp_path / "run", condition="baseline").notes == result.notes


def test_a_study_says_which_runs(small_memory, tmp_path):
    recipe = change(
        load_recipe(small_recipe.write(tmp_path, epochs=1)),
        {
            "study.conditions": ("baseline", "learn-e-reg"),
            "study.seeds": 1,
            "study.draws": 100,
            "training.halve_when_full": True,
            "emotional.training.halve_when_full": True,
        },
    )
    result = study(recipe, out=tmp_path / "st", workers=1)
    notes = [note for note in result.comparison["notes"] if "memory was full" in note]
    assert [note.partition(":")[0] for note in notes] == ["baseline, seed 0", "learn-e-reg, seed 0"]
    assert all(re.search("batches of 8 in 2 parts from step 1 on", note) for note in notes)
