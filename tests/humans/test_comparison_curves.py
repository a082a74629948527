"""Curves over strengths: which conditions are strengths, and a fit that fails is said while the rest goes on."""

import numpy as np
import pytest
from comparison_people import choosing_model, part_of, sure, trials

from affekt.errors import MissingExtra
from affekt.humans.comparison import compare, curves
from affekt.humans.comparison.curves import parse_condition
from affekt.humans.comparison.report.tables import curves_table

CATEGORIES = ("anger", "fear")
LEVELS = (0, 0.25, 0.5, 0.75, 1)


@pytest.mark.parametrize(
    ("condition", "parsed"),
    [
        ("eyes-0.5", ("eyes", 0.5)),
        ("low-pass-8", ("low-pass", 8.0)),
        ("0.2", ("", 0.2)),
        ("noise 1e-3", ("noise", 1e-3)),
        ("noise_20", ("noise", 20.0)),
        ("intact", None),
        ("", None),
        ("c05", None),
    ],
)
def test_conditions(condition, parsed):
    assert parse_condition(condition) == parsed


def held(conditions):
    """Two people, 8 stimuli a condition; the harder, the less often right."""
    rng = np.random.default_rng(0)
    truth = [CATEGORIES[k % 2] for k in range(8 * len(conditions))]
    names = [c for c in conditions for _ in range(8)]
    strength = [parse_condition(c)[1] if parse_condition(c) else 0 for c in names]

    def given():
        return [
            t if rng.random() < 0.98 - 0.45 * s else CATEGORIES[1 - CATEGORIES.index(t)]
            for t, s in zip(truth, strength, strict=True)
        ]

    return trials({"a": given(), "b": given(), "c": given(), "d": given()}, truth, names), truth


def test_people_and_models_have_a_curve_and_a_failed_fit_is_said():
    pytest.importorskip("psignifit")
    people, truth = held([f"eyes-{x:g}" for x in LEVELS])
    model = choosing_model("perfect", CATEGORIES, sure(truth, CATEGORIES))
    part = part_of(compare(people, [model], resamples=20), "errors")
    by = {curve.observer: curve for curve in part.curves}
    assert by["people"].levels.tolist() == list(LEVELS)
    assert by["people"].trials.tolist() == [32] * 5
    assert by["people"].fitted.converged and by["people"].fitted.direction == "falling"
    assert by["people"].fitted.guess.value == pytest.approx(0.5)
    assert not by["perfect"].fitted.converged
    assert any(note.startswith("No psychometric curve of perfect over eyes: all") for note in part.notes)
    assert part.measures[0].models["perfect"].value == 1
    table = curves_table(part)
    record = next(r for r in table.records if r["observer"] == "people")
    assert record["slope value"] == by["people"].fitted.slope.value < 0
    assert record["pse value"] is None  # guesses are fixed
    assert [c.title for c in table.columns[2:5]] == ["Threshold", "PSE", "Slope"]


def test_two_strengths_make_no_curve():
    people, truth = held(["eyes-0", "eyes-1", "intact"])
    part = part_of(compare(people, [choosing_model("m", CATEGORIES, sure(truth, CATEGORIES))], resamples=20), "errors")
    assert part.curves == []


def test_without_the_extra_the_rest_goes_on(monkeypatch):
    def missing(*_, **__):
        raise MissingExtra("humans", "psignifit")

    monkeypatch.setattr(curves, "psychometric", missing)
    people, truth = held([f"eyes-{x:g}" for x in LEVELS])
    part = part_of(compare(people, [choosing_model("m", CATEGORIES, sure(truth, CATEGORIES))], resamples=20), "errors")
    assert part.curves == []
    assert any('pip install "affekt[humans]"' in note for note in part.notes)
