"""Presets: every one is a change that a recipe takes, and says what we read in its name."""

import pytest

from affekt.recipe import Recipe, change
from affekt.regulation.presets import PRESETS, READINGS
from affekt.regulation.regulators import REGULATORS, STARTS


def test_the_names_are_a_promise():
    assert list(PRESETS) == list(READINGS) == [
        "baseline", "learn-e-reg", "rand-learn-e-reg", "e-reg", "rand-e-reg", "held-out-regulator",
        "influenced-only", "permuted-affect", "shuffled-emotion", "untrained-emotion", "feature-gate", "scalar-gate",
        "mixture",
    ]  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_takes_the_change_whatever_it_said_before(name):
    changed = change(Recipe(), PRESETS[name])
    far_away = {
        "regulation.regulator": "scalar",
        "regulation.start": "random",
        "regulation.regulator_data": "held-out",
    }
    assert changed.model.kind == ("classifier" if name == "baseline" else "regulated")
    if name != "baseline":
        assert change(change(Recipe(), far_away), PRESETS[name]).regulation == changed.regulation
        assert changed.regulation.regulator in REGULATORS
        assert changed.regulation.start in STARTS


@pytest.mark.parametrize(
    ("name", "regulator", "start", "data"),
    [
        ("learn-e-reg", "learned", "balanced", "train"),
        ("rand-learn-e-reg", "learned", "random", "train"),
        ("e-reg", "intensity", "balanced", "train"),
        ("rand-e-reg", "random", "balanced", "train"),
        ("held-out-regulator", "learned", "balanced", "held-out"),
    ],
)
def test_readings(name, regulator, start, data):
    settings = change(Recipe(), PRESETS[name]).regulation
    assert (settings.regulator, settings.start, settings.regulator_data) == (regulator, start, data)
