"""Valence-selective units: planted ones are found, the null holds, halves and preferences by hand, bad input."""

import numpy as np
import pytest
from scipy import stats

from affekt.errors import DataError, UsageError
from affekt.humans.representations import selective_units
from affekt.humans.representations.selective import (
    NONE,
    _discoveries,
    _halves,
    _one_way,
    _standardised,
)


def planted(pictures=80, units=50, effect=2.0, seed=0):
    """Units 0-4 prefer positive, 5-7 negative, 8 is dead, the others answer to nothing."""
    rng = np.random.default_rng(seed)
    valence = np.where(np.arange(pictures) % 2 == 0, "positive", "negative")
    table = rng.normal(size=(pictures, units))
    table[:, :5] += effect * (valence == "positive")[:, None]
    table[:, 5:8] += effect * (valence == "negative")[:, None]
    table[:, 8] = 0.1
    return table, valence


def test_planted_units_are_found_with_their_preference():
    found = selective_units(*planted(), draws=99)
    assert found.classes == ("negative", "positive")
    np.testing.assert_array_equal(np.flatnonzero(found.consistent), np.arange(8))
    np.testing.assert_array_equal(found.preference[:8], [1] * 5 + [0] * 3)
    assert found.counts() == {"negative": 3, "positive": 5}
    assert (found.preference[~found.selective] == NONE).all()
    assert found.p_selective == found.p_consistent == 0.01
    assert found.reliability > 0.6


def test_dead_units_are_silent():
    found = selective_units(*planted(), draws=1)
    assert (found.silent, found.p[8], found.selective[8]) == (1, 1, False)


def test_a_unit_that_answers_in_one_half_only_is_not_consistent():
    table, valence = planted(effect=0.0)
    labels = (valence == "positive").astype(int)
    from affekt.randomness import generator

    one, two = _halves(labels, generator("selective units: halves", 0))
    table[one, 0] += 3 * labels[one]
    table[one, 1] += 3 * labels[one]
    table[two, 1] -= 3 * labels[two]
    found = selective_units(table, valence, draws=1)
    assert found.selective[:2].all()
    assert not found.consistent.any()


def test_p_values_are_those_of_scipy():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [5, 7, 9])
    table = rng.normal(size=(21, 4)) + labels[:, None] * [0, 0.3, 1, 3]
    means, p = _one_way(_standardised(table), labels)
    expected = stats.f_oneway(*(table[labels == k] for k in range(3))).pvalue
    np.testing.assert_allclose(p, expected, rtol=1e-8)
    np.testing.assert_array_equal(means.argmax(0)[2:], [2, 2])
    two = labels < 2
    np.testing.assert_allclose(
        _one_way(_standardised(table[two]), labels[two])[1],
        stats.ttest_ind(table[labels == 0], table[labels == 1]).pvalue,
        rtol=1e-8,
    )


def test_a_unit_that_is_the_class_itself():
    labels = np.repeat([0, 1], 5)
    assert _one_way(_standardised(labels[:, None].astype(float)), labels)[1] < 1e-12


def test_discoveries_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        p = rng.uniform(size=30) ** rng.choice([1, 2, 4])
        np.testing.assert_array_equal(_discoveries(p, 0.1), stats.false_discovery_control(p) <= 0.1)


def test_discoveries_by_hand():
    """0.03 is above 0.05 * 2 / 4, but 0.035 is below 0.05 * 3 / 4 and takes it along."""
    np.testing.assert_array_equal(_discoveries(np.array([0.03, 0.001, 0.9, 0.035]), 0.05), [True, True, False, True])


def test_halves_share_each_class_and_no_picture():
    labels = np.repeat([0, 1], [7, 4])
    one, two = _halves(labels, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([one, two])), np.arange(11))
    np.testing.assert_array_equal([np.bincount(labels[half]) for half in (one, two)], [[4, 2], [3, 2]])


def test_null_holds():
    """Without any relation p is uniform or larger, although units are correlated; a common source makes them so."""
    rng = np.random.default_rng(0)
    valence = np.repeat(["a", "b"], 16)
    p = []
    for run in range(80):
        table = 3 * rng.normal(size=(32, 1)) + rng.normal(size=(32, 30))
        p.append(selective_units(table, valence, alpha=0.2, draws=39, seed=run).p_selective)
    assert sum(value <= 0.1 for value in p) <= stats.binom.ppf(0.999, 80, 0.1)
    assert min(p) < 0.2  # correlated units do reach counts


def test_null_permutes_within_halves_and_follows_the_seed():
    table, valence = planted(effect=1.0)
    one, two = (selective_units(table, valence, draws=30, seed=5, alpha=0.3) for _ in range(2))
    np.testing.assert_array_equal(one.null_selective, two.null_selective)
    np.testing.assert_array_equal(one.p, two.p)
    other = selective_units(table, valence, draws=30, seed=6, alpha=0.3)
    assert not np.array_equal(one.p, other.p)
    assert (one.null_consistent <= one.null_selective).all()


def test_scale_and_shift_of_units_and_their_order_do_not_matter():
    table, valence = planted()
    order = np.random.default_rng(0).permutation(50)
    plain, moved = selective_units(table, valence, draws=5), selective_units(3 * table[:, order] - 7, valence, draws=5)
    np.testing.assert_allclose(moved.p, plain.p[order], atol=1e-9)
    np.testing.assert_array_equal(moved.null_selective, plain.null_selective)


def test_three_classes():
    table, _ = planted(90)
    valence = np.arange(90) % 3
    table[:, 0] += 2 * (valence == 1)
    found = selective_units(table, valence, draws=19)
    assert found.classes == (0, 1, 2)
    assert found.consistent[0]
    assert found.preference[0] == 1


def test_all_units_dead():
    found = selective_units(np.ones((16, 3)), np.arange(16) % 2, draws=5)
    assert (found.silent, found.reliability, found.p_selective) == (3, None, 1.0)


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ((np.ones((8, 2)), ["a"] * 8), {}, DataError, "all 8 pictures are a"),
        ((np.ones((8, 2)), ["a"] * 5 + ["b"] * 3), {}, DataError, r"b \(3\): fewer than four"),
        ((np.ones((8, 2)), ["a"] * 7), {}, DataError, r"shape \(7,\) for responses to 8 pictures"),
        ((np.full((8, 2), np.nan), ["a", "b"] * 4), {}, DataError, "not finite"),
        ((np.ones((8, 2)), ["a", "b"] * 4), {"alpha": 0}, UsageError, "alpha = 0"),
        ((np.ones((8, 2)), ["a", "b"] * 4), {"draws": 0}, UsageError, "draws = 0"),
    ],
)
def test_bad_input(given, options, error, message):
    with pytest.raises(error, match=message):
        selective_units(*given, **options)
