"""Accuracy and error consistency: by hand, against Cohen's kappa, within their bounds, covering what is true."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import binary_cohen_kappa

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import (
    bootstrap,
    consistency_among,
    consistency_with,
    error_consistency,
    kappa_bounds,
)

EIGHT = bootstrap(8, resamples=50)
FIRST = [1, 1, 1, 1, 1, 1, 0, 0]
SECOND = [1, 1, 1, 0, 0, 1, 0, 1]


def test_by_hand():
    """p1 = 6/8, p2 = 5/8; equal in five of eight; by chance 30/64 + 6/64."""
    found = error_consistency(FIRST, SECOND, EIGHT)
    assert found.accuracy.value == 0.75
    assert found.difference.value == pytest.approx(0.125)
    assert found.observed.value == pytest.approx(0.625)
    assert found.expected.value == pytest.approx(36 / 64)
    assert found.kappa.value == pytest.approx((40 - 36) / (64 - 36))
    assert (found.pairs, found.undefined_pairs) == (1, 0)


def test_bounds_by_hand():
    """At most 7/8 of the stimuli are equal, and at least 3/8, with these accuracies."""
    assert kappa_bounds(0.75, 0.625) == pytest.approx(((24 - 36) / 28, (56 - 36) / 28))
    found = error_consistency(FIRST, SECOND, EIGHT)
    assert (found.lowest.value, found.highest.value) == pytest.approx(kappa_bounds(0.75, 0.625))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
def test_kappa_is_cohens_and_within_its_bounds(pairs):
    first, second = np.array(pairs).T
    found = error_consistency(first, second, bootstrap(len(pairs), resamples=1))
    bounds = kappa_bounds(first.mean(), second.mean())
    if found.kappa.value is None:
        assert bounds is None
        assert (first.all() and second.all()) or not (first.any() or second.any())
        return
    cohen = binary_cohen_kappa(torch.tensor(first).float(), torch.tensor(second).int())
    assert found.kappa.value == pytest.approx(float(cohen), abs=1e-5)
    assert -1 - 1e-9 <= bounds[0] <= found.kappa.value + 1e-9 <= bounds[1] + 2e-9 <= 1 + 3e-9


@given(st.integers(0, 12), st.integers(0, 12))
def test_the_bounds_are_reached(right, also_right):
    """Errors nested in each other and errors as disjoint as they can be."""
    bounds = kappa_bounds(right / 12, also_right / 12)
    if bounds is None:
        return
    items, shared = np.arange(12), bootstrap(12, resamples=1)
    nested = error_consistency(items < right, items < also_right, shared).kappa.value
    disjoint = error_consistency(items < right, items >= 12 - also_right, shared).kappa.value
    assert (disjoint, nested) == pytest.approx(bounds)


def test_always_right_leaves_kappa_no_room():
    found = error_consistency(np.ones(8), SECOND, EIGHT)
    assert found.kappa.value == found.lowest.value == found.highest.value == 0


@pytest.mark.parametrize("value", [0, 1])
def test_constant_responses_of_both_have_no_kappa_and_a_reason(value):
    found = error_consistency(np.full(8, value), np.full(8, value), EIGHT)
    assert found.kappa.value is None and "c_exp = 1" in found.kappa.reason
    assert found.kappa.interval() is None
    assert found.observed.value == 1 and found.accuracy.value == value
    assert found.undefined_pairs == 1
    assert kappa_bounds(value, value) is None


def test_each_draw_is_of_the_drawn_stimuli():
    found = error_consistency(FIRST, SECOND, EIGHT)
    for draw, weights in enumerate(np.concatenate(list(EIGHT.weights()))):
        a, b = (np.repeat(x, weights.astype(int)) for x in (FIRST, SECOND))
        chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        if chance < 1:
            assert found.kappa.draws[draw] == pytest.approx(((a == b).mean() - chance) / (1 - chance))
        else:
            assert np.isnan(found.kappa.draws[draw])
        assert found.difference.draws[draw] == pytest.approx(a.mean() - b.mean())


def test_stimuli_without_a_response_do_not_count():
    first, second = [*FIRST, np.nan, 1.0], [*SECOND, 0.0, np.nan]
    found, whole = error_consistency(first, second, bootstrap(10)), error_consistency(FIRST, SECOND, EIGHT)
    for name in ("accuracy", "difference", "observed", "kappa"):
        assert getattr(found, name).value == pytest.approx(getattr(whole, name).value)


def test_a_model_against_people_is_the_mean_over_people():
    rng = np.random.default_rng(0)
    shared = bootstrap(60, resamples=20)
    model = rng.random(60) < 0.8
    people = {f"p{i}": (rng.random(60) < 0.7).astype(float) for i in range(70)}  # more than one block of pairs
    found = consistency_with({"m": model}, people, shared)["m"]
    each = [error_consistency(model, p, shared) for p in people.values()]
    assert found.pairs == 70
    for name in ("accuracy", "difference", "observed", "kappa", "highest"):
        assert getattr(found, name).value == pytest.approx(np.mean([getattr(e, name).value for e in each]))
        expected = np.mean([getattr(e, name).draws for e in each], axis=0)
        np.testing.assert_allclose(getattr(found, name).draws, expected)


def test_a_person_who_makes_kappa_undefined_is_counted_and_left_out():
    always = np.ones(8)
    found = consistency_with({"m": always}, {"a": always, "b": SECOND}, EIGHT)["m"]
    assert (found.kappa.value, found.pairs, found.undefined_pairs) == (0, 2, 1)
    assert found.observed.value == pytest.approx((1 + 5 / 8) / 2)


def test_people_among_each_other_are_the_mean_over_pairs():
    people = {"a": FIRST, "b": SECOND, "c": [0, 1, 0, 1, 0, 1, 0, 1]}
    found = consistency_among(people, EIGHT)
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    each = [error_consistency(people[x], people[y], EIGHT) for x, y in pairs]
    assert found.kappa.value == pytest.approx(np.mean([e.kappa.value for e in each]))
    assert found.accuracy.value == pytest.approx((6 + 5 + 4) / 24)
    assert found.difference.value == pytest.approx((1 + 2 + 1) / 24)
    turned = consistency_among(dict(reversed(people.items())), EIGHT)
    assert turned.difference.value == pytest.approx(found.difference.value)


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_intervals_cover(kappa):
    """Two observers, right in .8 and .7, whose errors are partly the same; 300 sets of 200 stimuli."""
    both, covered = 0.8 * 0.7 + kappa * (1 - 0.8 * 0.7 - 0.2 * 0.3) / 2, 0
    for trial in range(300):
        rng = np.random.default_rng([3, trial])
        cells = rng.choice(4, p=[both, 0.8 - both, 0.7 - both, 1 - 1.5 + both], size=200)
        found = error_consistency(cells <= 1, (cells == 0) | (cells == 2), bootstrap(200, resamples=300, seed=trial))
        low, high = found.kappa.interval()
        covered += low < kappa < high
    assert 0.91 < covered / 300 < 0.99


@pytest.mark.parametrize(
    ("first", "error", "message"),
    [
        ([1, 1], UsageError, r"model first: shape \(2,\); right or wrong for each of the 8"),
        ([0, 1, 2, 1, 0, 3, 1, 1], DataError, "model first: 2 of 8 are neither 0 nor 1 .* the first is 2 at index 2"),
        ([np.nan] * 8, DataError, "first and second: no stimulus that both"),
    ],
)
def test_responses_that_cannot_be(first, error, message):
    with pytest.raises(error, match=message):
        error_consistency(first, SECOND, EIGHT)


def test_observers_that_are_missing():
    with pytest.raises(UsageError, match="1 models and 0 people"):
        consistency_with({"m": FIRST}, {}, EIGHT)
    with pytest.raises(UsageError, match="two or more"):
        consistency_among({"a": FIRST}, EIGHT)
    with pytest.raises(DataError, match="a and b: no stimulus"):
        consistency_among({"a": [*FIRST[:7], np.nan], "b": [np.nan] * 7 + [1]}, EIGHT)
    with pytest.raises(UsageError, match="from 0 to 1"):
        kappa_bounds(0.5, 1.2)
