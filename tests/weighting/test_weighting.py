"""Every weighting: order, scale and bounds; then each rule's own values."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.weighting import WEIGHTINGS, create_weighting, list_weightings

NAMES = list_weightings()
LOSSES = st.lists(st.floats(0, 100), min_size=1, max_size=6)
VALUES = [("sum", 3.5), ("uniform", 3.5 / 3), ("softmax", 3.5 / 3)]


def named(values, dtype=torch.float64):
    return {f"task{i}": torch.tensor(v, dtype=dtype) for i, v in enumerate(values)}


def created(name, n, seed=None):
    weighting = create_weighting(name, [f"task{i}" for i in range(n)]).double()
    if seed is not None:
        for parameter in weighting.parameters():
            parameter.data = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)).double()
    return weighting


@pytest.mark.parametrize("name", NAMES)
@given(values=LOSSES)
def test_order_of_the_losses_does_not_matter(name, values):
    weighting, losses = created(name, len(values), seed=1), named(values)
    backwards = dict(reversed(losses.items()))
    assert weighting(losses).item() == weighting(backwards).item()
    assert list(weighting.weights(backwards)) == list(losses)


@pytest.mark.parametrize("name", NAMES)
@given(values=LOSSES, factor=st.floats(0.01, 100))
def test_scaling_all_losses_scales_the_result(name, values, factor):
    weighting = created(name, len(values), seed=2)
    scaled = weighting(named([factor * v for v in values])).item()
    assert scaled == pytest.approx(factor * weighting(named(values)).item(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@given(values=LOSSES)
def test_result_is_the_weighted_sum_and_weights_are_bounded(name, values):
    weighting, losses = created(name, len(values), seed=3), named(values)
    weights = weighting.weights(losses)
    assert weighting(losses).item() == pytest.approx(sum(weights[k].item() * losses[k].item() for k in losses))
    assert all(0 < w.item() <= 1 and not w.requires_grad for w in weights.values())
    total = sum(w.item() for w in weights.values())
    assert total == pytest.approx(len(values) if name == "sum" else 1)


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_values_at_the_start(name, value):
    assert created(name, 3)(named([2.0, 1.0, 0.5])).item() == pytest.approx(value)


def test_softmax_gradient_has_the_closed_form():
    weighting, losses = created("softmax", 4, seed=4), named([1.0, 0.1, 3.0, 0.0])
    weighting(losses).backward()
    w, values = torch.softmax(weighting.a.detach(), 0), torch.stack(list(losses.values()))
    torch.testing.assert_close(weighting.a.grad, w * (values - (w * values).sum()))


def test_softmax_moves_weight_to_the_easier_task():
    weighting, losses = created("softmax", 2), named([1.0, 0.1])
    optimiser = torch.optim.Adam(weighting.parameters(), lr=0.01)
    for _ in range(300):
        optimiser.zero_grad()
        weighting(losses).backward()
        optimiser.step()
    assert weighting.weights(losses)["task1"] > 0.95


def test_gradient_reaches_the_losses():
    for name in NAMES:
        x = torch.ones(2, requires_grad=True)
        create_weighting(name, ["a", "b"])({"a": x[0], "b": 2 * x[1]}).backward()
        share = 1.0 if name == "sum" else 0.5
        assert x.grad.tolist() == [share, 2 * share]


def test_half_precision_losses_are_summed_in_float32():
    losses = {"a": torch.tensor(256.0, dtype=torch.bfloat16), "b": torch.tensor(1.0, dtype=torch.bfloat16)}
    assert create_weighting("sum", ["a", "b"])(losses).item() == 257.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: create_weighting("sofmax", ["a"]), 'weighting "sofmax": unknown. Nearest: softmax'),
        (lambda: create_weighting("sum", ["a"], temperature=2), 'no option "temperature"; it has none'),
        (lambda: create_weighting("sum", []), "give a list of different names"),
        (lambda: create_weighting("sum", "abc"), "give a list of different names"),
        (lambda: create_weighting("sum", ["a", "a"]), "give a list of different names"),
        (lambda: create_weighting("sum", ["a", "b"])({"a": torch.tensor(1.0)}), "missing: b; create it with"),
        (lambda: create_weighting("sum", ["a"])({"b": torch.tensor(1.0)}), "missing: a; unknown: b"),
        (lambda: create_weighting("sum", ["a"])({"a": torch.ones(3)}), r'loss "a" has shape \(3,\); give a scalar'),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_every_rule_is_listed():
    assert list(WEIGHTINGS) == NAMES == ["sum", "uniform", "softmax"]
