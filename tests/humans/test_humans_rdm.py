"""Dissimilarities: against hand-computed ones and rsatoolbox, invariances, bounds, bad input, memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import squareform

from affekt.errors import DataError, UsageError
from affekt.humans.representations import blocks, category_rdm, feature_rdm, rating_rdm, stimuli_of, vote_rdm


def features(stimuli=12, count=30, seed=0):
    return np.random.default_rng(seed).normal(size=(stimuli, count)) + 5


def test_features_by_hand():
    """The second is the first turned round, the third is uncorrelated with both."""
    found = feature_rdm([[1.0, 2, 3, 4], [4, 3, 2, 1], [1, -1, -1, 1]])
    np.testing.assert_allclose(found, [2, 1, 1], atol=1e-12)


def test_features_are_one_minus_pearson_in_any_number_of_blocks(monkeypatch):
    table = features()
    expected = squareform(1 - np.corrcoef(table), checks=False)
    np.testing.assert_allclose(feature_rdm(table), expected, atol=1e-12)
    monkeypatch.setattr(blocks, "_NUMBERS", 12 * 7)  # blocks of 7 columns, the last of 2
    np.testing.assert_allclose(feature_rdm(table), expected, atol=1e-12)


def test_features_as_rsatoolbox_has_them():
    toolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox (extra humans) is not installed")
    table = features()
    expected = toolbox.rdm.calc_rdm(toolbox.data.Dataset(table), method="correlation").dissimilarities[0]
    np.testing.assert_allclose(feature_rdm(table), expected, atol=1e-12)


def test_maps_are_flattened():
    table = features(6, 24)
    np.testing.assert_array_equal(feature_rdm(table.reshape(6, 2, 3, 4)), feature_rdm(table))


@pytest.mark.parametrize(
    "rdm",
    [feature_rdm, lambda t: rating_rdm(t[:, 0]), lambda t: vote_rdm(np.abs(t)), lambda t: category_rdm(t[:, 0] > 5)],
)
def test_permuted_stimuli_permute_the_matrix(rdm):
    table = features()
    order = np.random.default_rng(1).permutation(len(table))
    np.testing.assert_allclose(squareform(rdm(table[order])), squareform(rdm(table))[np.ix_(order, order)], atol=1e-12)


@given(scale=st.floats(0.1, 100), shift=st.floats(-100, 100))
def test_scale_and_shift_of_a_stimulus_do_not_matter(scale, shift):
    table = features(5)
    moved = table.copy()
    moved[2] = scale * moved[2] + shift
    np.testing.assert_allclose(feature_rdm(moved), feature_rdm(table), atol=1e-9)


def test_ratings_by_hand():
    np.testing.assert_allclose(rating_rdm([1, 4, 2.5]), [3, 1.5, 1.5])
    np.testing.assert_allclose(rating_rdm([[0, 0], [3, 4]]), [5])


def test_votes_by_hand():
    """Equal shares are 0 apart, votes without overlap 1; (1, 0) and (1/2, 1/2) diverge by 0.3113 bits."""
    found = vote_rdm([[2, 0], [1, 0], [0, 7], [3, 3]])
    half = (0.5 * np.log2(4 / 3) + 0.5 * (0.5 * np.log2(2 / 3) + 0.5 * np.log2(2))) ** 0.5
    np.testing.assert_allclose(found, [0, 1, half, 1, half, half], atol=1e-9)
    np.testing.assert_allclose(vote_rdm([[1, 2, 3], [30, 20, 10]], measure="correlation"), [2])


@given(arrays(np.int64, (5, 4), elements=st.integers(0, 50)))
def test_vote_dissimilarity_stays_in_its_bounds(votes):
    found = vote_rdm(votes + np.eye(5, 4, dtype=np.int64) + (np.arange(5) == 4)[:, None])
    assert ((found >= 0) & (found <= 1)).all()


def test_categories_by_hand():
    np.testing.assert_array_equal(category_rdm(["a", "b", "a"]), [1, 0, 1])


def test_stimuli_of():
    assert [stimuli_of(np.zeros(p)) for p in (1, 3, 6, 1_999_000)] == [2, 3, 4, 2000]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: feature_rdm([[1.0, 2, 3]]), DataError, "1 stimulus; dissimilarity is of pairs"),
        (lambda: feature_rdm([[1.0], [2]]), DataError, "a number has rating_rdm"),
        (lambda: feature_rdm([[1.0, 2], [np.nan, 1]]), DataError, "1 of 2 stimuli have numbers that are not finite"),
        (lambda: feature_rdm([[1.0, 2], [0.1, 0.1], [0, 0]]), DataError, "every feature of stimulus 1, 2:"),
        (lambda: feature_rdm([["a", "b"]]), DataError, "not real numbers"),
        (lambda: feature_rdm(np.empty((0, 3))), DataError, r"shape \(0, 3\)"),
        (lambda: rating_rdm([1.0, np.nan]), DataError, "ratings: 1 of 2"),
        (lambda: vote_rdm([[1, 0], [0, 0]]), DataError, "none for stimulus 1"),
        (lambda: vote_rdm([[1, -1], [1, 0]]), DataError, "1 numbers are negative"),
        (lambda: vote_rdm([[1], [2]]), DataError, "one category"),
        (lambda: vote_rdm([[1, 0], [0, 1]], measure="kl"), UsageError, 'measure of votes "kl": unknown'),
        (lambda: category_rdm([["a"], ["b"]]), DataError, r"labels: shape \(2, 1\)"),
        (lambda: stimuli_of(np.zeros(4)), DataError, "4 dissimilarities: not"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_two_thousand_stimuli_need_little_besides_their_features():
    """What is allocated does not grow with the features: at 50,000 of them it is as here, 0.4 GB of float32 besides."""
    table = np.random.default_rng(0).random((2000, 12_000), dtype=np.float32)
    tracemalloc.start()
    try:
        feature_rdm(table)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400e6
