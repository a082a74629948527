"""Classification: the loss and the scores, against closed forms and other people's implementations."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from affekt.training.classification import (
    accuracy,
    balanced_accuracy,
    calibration_error,
    macro_f1,
    nll,
    scores,
)

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def drawn(b=6, k=4, seed=0):
    return torch.randn(b, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_nll_is_cross_entropy(smoothing):
    logits, target = drawn(), torch.tensor([0, 1, 2, 3, -1, 1])
    expected = F.cross_entropy(logits, target, ignore_index=-1, label_smoothing=smoothing)
    torch.testing.assert_close(nll(torch.log_softmax(logits, 1), target, smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_nll_of_shares_is_cross_entropy_with_shares(smoothing):
    logits, shares = drawn(), torch.softmax(drawn(seed=1), dim=1)
    expected = F.cross_entropy(logits, shares, label_smoothing=smoothing)
    torch.testing.assert_close(nll(torch.log_softmax(logits, 1), shares, smoothing), expected)


def test_a_share_that_is_not_known_counts_for_nothing():
    logs = torch.log_softmax(drawn(2), 1)
    half_known = torch.tensor([[1.0, 0, 0, 0], [0, 0.5, 0, 0]], dtype=torch.float64)
    expected = -(logs[0, 0] + 0.5 * logs[1, 1]) / 1.5
    torch.testing.assert_close(nll(logs, half_known), expected)


@pytest.mark.parametrize("target", [torch.tensor([-1, -1]), torch.zeros(2, 4)])
def test_nothing_known_costs_nothing_and_moves_nothing(target):
    logits = torch.randn(2, 4, requires_grad=True)
    loss = nll(torch.log_softmax(logits, 1), target, 0.1)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().max() == 0


@given(pairs=LABELS)
def test_balanced_accuracy_and_f1_follow_their_definitions(pairs):
    predicted, target = np.array(pairs).T
    recalls = [np.mean([p == k for p, t in pairs if t == k]) for k in sorted(set(target))]
    assert balanced_accuracy(predicted, target) == pytest.approx(np.mean(recalls))
    assert 0 <= macro_f1(predicted, target) <= 1
    assert accuracy(predicted, target) == pytest.approx(np.mean([p == t for p, t in pairs]))


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_that_of_torchmetrics(seed):
    from torchmetrics.functional.classification import multiclass_f1_score

    generator = np.random.default_rng(seed)
    predicted, target = generator.integers(0, 5, 12), generator.integers(0, 4, 12)
    theirs = multiclass_f1_score(torch.tensor(predicted), torch.tensor(target), num_classes=6, average="macro")
    assert macro_f1(predicted, target) == pytest.approx(theirs.item(), abs=1e-6)


def test_calibration_error_of_two_bins_by_hand():
    confidence, right = [0.6, 0.9, 0.7, 0.8], [True, True, False, True]
    assert calibration_error(confidence, right, bins=2) == pytest.approx((2 * abs(0.5 - 0.65) + 2 * abs(1 - 0.85)) / 4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibration_error_is_bounded_and_has_no_order(pairs):
    confidence, right = zip(*pairs, strict=True)
    error = calibration_error(confidence, right)
    assert 0 <= error <= 1
    distinct = len(set(confidence)) == len(confidence)
    if distinct:
        assert calibration_error(confidence[::-1], right[::-1]) == pytest.approx(error)


def test_a_perfectly_calibrated_answer_has_no_error():
    assert calibration_error(np.full(100, 0.75), np.arange(100) % 4 > 0, bins=1) == 0


def test_scores_leave_out_unknown_items():
    logs = np.log([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1], [0.5, 0.5]])
    found = scores(logs, [0, 0, 0, -1])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["accuracy_of_majority"] == 1
    assert found["nll"] == pytest.approx(-np.mean(np.log([0.7, 0.4, 0.9])))


def test_scores_without_labels_are_nan():
    assert all(np.isnan(v) for v in scores(np.zeros((2, 3)), [-1, -1]).values())
    assert np.isnan(macro_f1([], []))
