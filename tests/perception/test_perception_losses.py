"""Losses of affect networks: closed forms, limits, and labels that are missing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from affekt.perception.losses import (
    RATINGS_LOSSES,
    category_loss,
    concordance_error,
    gaussian_error,
    squared_error,
    vote_loss,
)

NAN = float("nan")
VALUES = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=20)


def test_vote_loss_is_the_divergence_from_the_shares():
    logits, votes = torch.randn(3, 4), torch.tensor([[1.0, 2, 3, 4], [0, 10, 0, 0], [5, 5, 0, 0]])
    shares = votes / votes.sum(1, keepdim=True)
    expected = F.kl_div(torch.log_softmax(logits, 1), shares, reduction="batchmean")
    torch.testing.assert_close(vote_loss(logits, votes), expected)


def test_vote_loss_is_zero_at_the_shares_and_leaves_out_rows_without_votes():
    votes = torch.tensor([[1.0, 3.0], [0.0, 0.0]])
    logits = torch.tensor([[0.25, 0.75], [0.9, 0.1]]).log().requires_grad_()
    loss = vote_loss(logits, votes)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad[1].tolist() == [0, 0]


def test_category_loss_takes_shares_of_mixed_pictures():
    logits = torch.randn(2, 3)
    mixed = 0.3 * category_loss(logits[:1], torch.tensor([0])) + 0.7 * category_loss(logits[:1], torch.tensor([2]))
    torch.testing.assert_close(category_loss(logits[:1], torch.tensor([[0.3, 0, 0.7]])), mixed)


@pytest.mark.parametrize("name", RATINGS_LOSSES)
def test_what_is_not_rated_has_no_part(name):
    predicted = torch.tensor([0.5, -1.0, 2.0, 7.0], requires_grad=True)
    spread = torch.tensor([0.1, 0.2, 0.3, 0.4], requires_grad=True)
    loss = RATINGS_LOSSES[name](predicted, torch.tensor([1.0, 0.0, 1.5, NAN]), spread)
    loss.backward()
    assert predicted.grad[3] == 0
    assert torch.isfinite(predicted.grad).all()
    without = RATINGS_LOSSES[name](predicted[:3], torch.tensor([1.0, 0.0, 1.5]), spread[:3])
    torch.testing.assert_close(loss, without)


@pytest.mark.parametrize("name", RATINGS_LOSSES)
@pytest.mark.parametrize("target", [[NAN, NAN], [NAN, 1.0]])
def test_too_few_ratings_give_a_finite_loss(name, target):
    predicted = torch.tensor([0.5, 1.0], requires_grad=True)
    loss = RATINGS_LOSSES[name](predicted, torch.tensor(target), torch.zeros(2))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(predicted.grad).all()


@given(pairs=VALUES)
def test_concordance_error_is_one_minus_lin(pairs):
    x, y = torch.tensor(pairs, dtype=torch.float64).T
    below = x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2
    error = concordance_error(x, y).item()
    assert -1e-6 <= error <= 2 + 1e-6
    if below > 1e-3:
        covariance = ((x - x.mean()) * (y - y.mean())).mean()
        assert error == pytest.approx((1 - 2 * covariance / below).item(), abs=1e-4)


def test_concordance_at_its_ends():
    x = torch.tensor([1.0, 2.0, 3.0])
    assert concordance_error(x, x).item() == pytest.approx(0, abs=1e-6)
    assert concordance_error(-x + 4, x).item() == pytest.approx(2, abs=1e-6)


def test_gaussian_error_is_that_of_torch():
    x, y, log_variance = torch.randn(3, 10)
    expected = F.gaussian_nll_loss(x, y, log_variance.exp())
    torch.testing.assert_close(gaussian_error(x, y, log_variance), expected)


def test_gaussian_error_has_a_floor():
    x = torch.zeros(3)
    assert gaussian_error(x, x, torch.full((3,), -100.0)).item() == -4


def test_squared_error():
    assert squared_error(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])).item() == 2.5
