"""Metrics of affect networks: against scipy's and torchmetrics' own, and honest about constants."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.perception.metrics import category_metrics, concordance, rating_metrics, vote_metrics

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=2, max_size=25)


@pytest.mark.parametrize("seed", range(3))
def test_rating_metrics_are_those_of_torchmetrics(seed):
    from torchmetrics import functional as theirs

    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, 50))
    y += x
    tensors = torch.tensor(x), torch.tensor(y)
    found = rating_metrics(x, y, mean=0.3)
    assert found["r"] == pytest.approx(theirs.pearson_corrcoef(*tensors).item(), abs=1e-6)
    assert found["spearman"] == pytest.approx(theirs.spearman_corrcoef(*tensors).item(), abs=1e-6)
    assert found["ccc"] == pytest.approx(theirs.concordance_corrcoef(*tensors).item(), abs=2e-2)
    assert found["rmse"] == pytest.approx(theirs.mean_squared_error(*tensors, squared=False).item(), abs=1e-6)
    assert found["rmse_of_mean"] == pytest.approx(np.sqrt(np.mean((y - 0.3) ** 2)))


@given(pairs=PAIRS)
def test_concordance_never_exceeds_correlation(pairs):
    x, y = np.array(pairs, dtype=float).T
    found = rating_metrics(x, y, mean=0)
    if not np.isnan(found["r"]):
        assert abs(found["ccc"]) <= abs(found["r"]) + 1e-9
        assert -1 - 1e-9 <= found["spearman"] <= 1 + 1e-9


def test_unrated_pictures_are_left_out():
    found = rating_metrics([1, 2, 3, 9], [2, 3, 4, np.nan], mean=3)
    assert found["n"] == 3
    assert found["r"] == pytest.approx(1)
    assert found["rmse"] == pytest.approx(1)


def test_a_constant_prediction_has_no_correlation():
    found = rating_metrics(np.full(4, 2.0) + 1e-9 * np.arange(4), [1, 2, 3, 4], mean=2.5)
    assert np.isnan(found["r"])
    assert np.isnan(found["spearman"])
    assert found["ccc_of_mean"] == 0
    assert found["ccc"] == pytest.approx(0, abs=1e-6)
    assert found["rmse"] > found["rmse_of_mean"]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_ratings_give_nan_and_no_warning(n, recwarn):
    found = rating_metrics(np.arange(n), np.arange(n), mean=0)
    assert np.isnan(found["r"])
    assert np.isnan(found["ccc"])
    assert not recwarn.list


def test_concordance_of_equal_constants_is_undefined():
    assert np.isnan(concordance(np.ones(3), np.ones(3)))


def test_category_metrics_stand_beside_the_majority_of_the_training_labels():
    probabilities = np.eye(3)[[0, 1, 1, 2, 0]]
    found = category_metrics(probabilities, [0, 1, 0, 0, -1], majority=1)
    assert found["accuracy"] == 0.5
    assert found["accuracy_of_majority"] == 0.25
    assert found["balanced_accuracy"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["balanced_accuracy_of_majority"] == 0.5
    assert found["macro_f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)
    assert found["macro_f1_of_majority"] == pytest.approx((0 + 2 / 5) / 2)


def test_vote_metrics_stand_beside_the_mean_shares():
    votes = [[9.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    found = vote_metrics([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]], votes, mean=[0.5, 0.5])
    assert found["votes/kl"] == pytest.approx(0)
    assert found["votes/kl_of_mean"] == pytest.approx((0.9 * np.log(1.8) + 0.1 * np.log(0.2)) / 2)
