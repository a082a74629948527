"""Mixing: properties of the mixture, and its gradients where r or a logit is extreme."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from affekt.regulation.mixing import MIXES, mix_logits, mix_probabilities

SEEDS = st.integers(0, 2**31)
WEIGHTS = st.floats(0, 1)


def drawn(seed: int, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    first, second = scale * torch.randn(2, 5, 4, generator=generator, dtype=torch.float64)
    return first, second


def weight(r: float) -> Tensor:
    return torch.full((5, 1), r, dtype=torch.float64)


@given(seed=SEEDS, r=WEIGHTS)
def test_mixture_of_probabilities_is_the_naive_one(seed, r):
    first, second = drawn(seed)
    naive = (1 - r) * torch.softmax(first, 1) + r * torch.softmax(second, 1)
    torch.testing.assert_close(mix_probabilities(first, second, weight(r)).exp(), naive)


@given(seed=SEEDS, r=WEIGHTS)
def test_mixture_lies_between_the_branches(seed, r):
    first, second = drawn(seed)
    logs = torch.stack([torch.log_softmax(first, 1), torch.log_softmax(second, 1)])
    mixed = mix_probabilities(first, second, weight(r))
    assert (mixed >= logs.min(0).values - 1e-9).all()
    assert (mixed <= logs.max(0).values + 1e-9).all()


@pytest.mark.parametrize("mix", MIXES)
@given(seed=SEEDS, r=WEIGHTS)
def test_every_mix_sums_to_one(mix, seed, r):
    mixed = MIXES[mix](*drawn(seed), weight(r))
    torch.testing.assert_close(mixed.exp().sum(1), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("kind", [1, 4])
@given(seed=SEEDS)
def test_r_of_0_and_1_are_one_branch_alone(mix, kind, seed):
    first, second = drawn(seed)
    ends = torch.zeros(5, kind, dtype=torch.float64), torch.ones(5, kind, dtype=torch.float64)
    torch.testing.assert_close(MIXES[mix](first, second, ends[0]), torch.log_softmax(first, 1))
    torch.testing.assert_close(MIXES[mix](first, second, ends[1]), torch.log_softmax(second, 1))


@given(seed=SEEDS)
def test_an_r_for_each_class_is_rescaled(seed):
    first, second = drawn(seed)
    r = torch.rand(5, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    naive = (1 - r) * torch.softmax(first, 1) + r * torch.softmax(second, 1)
    torch.testing.assert_close(mix_probabilities(first, second, r).exp(), naive / naive.sum(1, keepdim=True))


@given(seed=SEEDS, r=WEIGHTS)
def test_the_same_r_for_each_class_is_one_r(seed, r):
    first, second = drawn(seed)
    for mix in MIXES.values():
        torch.testing.assert_close(mix(first, second, weight(r).expand(5, 4)), mix(first, second, weight(r)))


def test_mixture_of_logits_is_the_naive_one():
    first, second = drawn(0)
    naive = torch.softmax(0.3 * first + 0.7 * second, 1).log()
    torch.testing.assert_close(mix_logits(first, second, weight(0.7)), naive)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("r", [0.0, 1e-38, 1e-8, 0.5, 1 - 6e-8, 1.0])
@pytest.mark.parametrize("logit", [0.0, 50.0, 1e4])
def test_values_and_gradients_are_finite_at_the_extremes(mix, r, logit):
    first = torch.tensor([[logit, 0.0, -logit]], requires_grad=True)
    second = torch.tensor([[-logit, 0.0, logit]], requires_grad=True)
    weights = torch.full((1, 1), r, requires_grad=True)
    mixed = MIXES[mix](first, second, weights)
    for column in range(3):
        gradients = torch.autograd.grad(mixed[0, column], [first, second, weights], retain_graph=True)
        assert torch.isfinite(mixed).all()
        assert all(torch.isfinite(g).all() for g in gradients)


def test_gradient_of_r_is_the_relative_advantage_of_the_influenced_branch():
    first, second = drawn(3)
    r = weight(0.4).requires_grad_()
    mix_probabilities(first, second, r)[:, 0].sum().backward()
    p, q = torch.softmax(first, 1)[:, :1], torch.softmax(second, 1)[:, :1]
    torch.testing.assert_close(r.grad, (q - p) / (0.6 * p + 0.4 * q))


def test_underflow_does_not_reach_the_loss():
    z = torch.tensor([[200.0, 0.0]])
    assert mix_probabilities(z, z, torch.full((1, 1), 0.3))[0, 1].item() == pytest.approx(-200)


def test_half_precision_logits_are_mixed_in_float32():
    z = torch.randn(2, 3).bfloat16()
    assert all(mix(z, z, torch.full((2, 1), 0.5)).dtype == torch.float32 for mix in MIXES.values())
