"""Unbiased linear CKA: both spaces, the estimator as it is written in the paper, invariances, bounds, bad input."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from affekt.errors import DataError, UsageError
from affekt.humans.representations import blocks, category_features, cka_halves, linear_cka
from affekt.randomness import generator


def song(one, two):
    """HSIC_1 with its three terms, inner products without their diagonals."""
    k, l = one @ one.T, two @ two.T  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    n, e = len(k), np.ones(len(k))
    ends = (e @ k @ e) * (e @ l @ e) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + ends - 2 / (n - 2) * (e @ k @ l @ e)) / (n * (n - 3))


def written_out(one, two):
    return song(one, two) / (song(one, one) * song(two, two)) ** 0.5


def pair(stimuli=20, one=6, two=9, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(stimuli, 3))
    return tuple(common @ rng.normal(size=(3, d)) + rng.normal(size=(stimuli, d)) + 3 for d in (one, two))


@pytest.mark.parametrize(("one", "two"), [(6, 9), (6, 50), (50, 6), (50, 70)])
def test_both_spaces_are_the_estimator_of_the_paper(one, two, monkeypatch):
    """Fewer features than stimuli and more, on either side, in one block and in several."""
    x, y = pair(20, one, two)
    assert linear_cka(x, y) == pytest.approx(written_out(x, y), abs=1e-12)
    monkeypatch.setattr(blocks, "_NUMBERS", 20 * 4)
    assert linear_cka(x, y) == pytest.approx(written_out(x, y), abs=1e-12)


def test_feature_space_and_gram_space_agree():
    """Columns of zeros change no inner product, but the space it is computed in."""
    x, y = pair()
    wide = np.hstack([x, np.zeros((20, 30))])
    assert linear_cka(wide, y) == pytest.approx(linear_cka(x, y), abs=1e-12)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 20))
def test_rotation_scale_and_shift_do_not_matter(scale, shift, seed):
    x, y = pair(seed=seed)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0]
    assert linear_cka(scale * x @ rotation + shift, y) == pytest.approx(linear_cka(x, y), abs=1e-7)
    assert linear_cka(x, scale * x @ rotation + shift) == pytest.approx(1, abs=1e-7)


def test_stretching_one_feature_does_matter():
    x, y = pair()
    assert abs(linear_cka(x * [20, 1, 1, 1, 1, 1], y) - linear_cka(x, y)) > 0.01


@given(arrays(np.float64, (6, 5), elements=st.integers(-5, 5)))
def test_bounds_and_symmetry(table):
    x, y = table[:, :2], table[:, 2:]
    try:
        found = linear_cka(x, y)
    except DataError:
        return
    assert -1 <= found <= 1
    assert found == pytest.approx(linear_cka(y, x), abs=1e-9)


def test_unrelated_features_are_at_zero_however_many():
    """The biased form is near 1 here."""
    rng = np.random.default_rng(0)
    found = [linear_cka(rng.normal(size=(30, 2000)), rng.normal(size=(30, 2000))) for _ in range(40)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 40**0.5
    assert min(found) < 0 < max(found)


def test_categories_as_features():
    np.testing.assert_array_equal(category_features(["b", "a", "b"]), [[0, 1], [1, 0], [0, 1]])
    labels = np.arange(12) % 3
    assert linear_cka(category_features(labels), 7 * category_features(labels)) == pytest.approx(1)


def test_a_rating_is_one_feature():
    rating = np.random.default_rng(0).normal(size=15)
    assert linear_cka(rating, -rating) == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (np.eye(5)[:, :2], np.eye(6), "of 5 and of 6 stimuli"),
        (np.eye(3), np.eye(3), "unbiased CKA needs four"),
        (np.ones((6, 3)), np.arange(6.0), "the first features do not tell the stimuli apart"),
        (np.arange(6.0), np.eye(6), "the second features do not tell the stimuli apart"),
        (np.arange(6.0), [1, 2, np.inf, 4, 5, 6], "the second features: 1 of 6 stimuli"),
    ],
)
def test_bad_input(one, two, message):
    with pytest.raises(DataError, match=message):
        linear_cka(one, two)


def test_labels_that_are_none():
    with pytest.raises(DataError, match="one for each of N"):
        category_features([["a"]])


def test_two_thousand_stimuli_need_little_besides_their_features():
    table = np.random.default_rng(0).random((2000, 12_000), dtype=np.float32)
    tracemalloc.start()
    try:
        linear_cka(table, table[:, :10])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400e6


def test_halves_are_what_their_features_have():
    """Of one permutation a half and what it leaves, then of the next."""
    x, y = pair(21, 6, 50)
    rng = generator("cka halves", 3)
    first = [np.sort(rng.permutation(21)[:10]) for _ in range(2)]
    rows = [r for half in first for r in (half, np.setdiff1d(np.arange(21), half))]
    expected = [linear_cka(x[r], y[r]) for r in rows]
    np.testing.assert_allclose(cka_halves(x, y, draws=4, seed=3), expected, atol=1e-12)
    assert len(cka_halves(x, y, draws=3, seed=3)) == 3


def test_halves_are_those_of_a_shifted_layer_too():
    x, y = pair()
    np.testing.assert_allclose(cka_halves(x + 1e4, y, draws=6), cka_halves(x, y, draws=6), atol=1e-7)


def test_a_group_is_in_one_half():
    """Three groups of four: halves of one group and of two."""
    x, y = pair(12)
    groups = np.repeat(["c", "a", "b"], 4)
    one = {round(linear_cka(x[groups == g], y[groups == g]), 9) for g in "abc"}
    two = {round(linear_cka(x[groups != g], y[groups != g]), 9) for g in "abc"}
    found = cka_halves(x, y, groups=groups, draws=40).round(9)
    assert set(found[::2].tolist()) == one and set(found[1::2].tolist()) == two


def test_a_half_that_tells_nothing_apart_is_undefined():
    """Categories of which one half may have a single one, and halves of three stimuli."""
    labels = category_features([0, 0, 0, 0, 1, 1, 1, 1])
    found = cka_halves(labels, pair(8)[0], draws=200)
    assert 0 < np.isnan(found).sum() < 100
    assert np.isnan(cka_halves(*pair(7), draws=2)[0])


def halves_of_samples(related, samples=40, stimuli=40):
    """Of each sample of stimuli: CKA of 20 features with a rating, that of 60 halves, of 20 draws with replacement."""
    rng = np.random.default_rng(1)
    found = []
    for seed in range(samples):
        rating = rng.normal(size=stimuli)
        x = rng.normal(size=(stimuli, 20)) + related * rating[:, None]
        redrawn = [linear_cka(x[r], rating[r]) for r in rng.integers(stimuli, size=(20, stimuli))]
        found.append((linear_cka(x, rating), cka_halves(x, rating, draws=60, seed=seed), redrawn))
    return [np.array(numbers) for numbers in zip(*found, strict=True)]


@pytest.mark.parametrize("related", [0.0, 0.4])
def test_intervals_from_halves_hold_the_value_of_all_stimuli(related):
    rng = np.random.default_rng(0)
    many = rng.normal(size=3000)
    truth = linear_cka(rng.normal(size=(3000, 20)) + related * many[:, None], many)
    value, halves, _ = halves_of_samples(related)
    low, high = np.quantile(halves, [0.025, 0.975], axis=1)
    assert ((low <= truth) & (truth <= high)).mean() >= 0.9
    assert 0.8 * value.std() < halves.std(axis=1).mean() < 2.2 * value.std()


def test_halves_do_not_make_unrelated_features_alike_and_draws_with_replacement_do():
    value, halves, redrawn = halves_of_samples(0)
    assert abs(halves.mean() - value.mean()) < 0.01
    assert redrawn.mean() - value.mean() > 0.05


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"draws": 0}, UsageError, "draws = 0"),
        ({"groups": ["a"] * 20}, UsageError, "all 20 stimuli are of one group"),
        ({"groups": ["a", "b"]}, UsageError, r"groups of shape \(2,\) for 20 stimuli"),
    ],
)
def test_halves_that_cannot_be(more, error, message):
    with pytest.raises(error, match=message):
        cka_halves(*pair(), **more)
