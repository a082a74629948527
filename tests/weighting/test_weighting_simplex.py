"""Simplex: the closed form of the softmax's gradient, its collapse, and what floor, temperature and scale do to it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rules import created, named

from affekt.errors import UsageError
from affekt.weighting import create_weighting

LOSSES = st.lists(st.floats(0.01, 100), min_size=2, max_size=5)


@given(values=LOSSES, temperature=st.floats(0.1, 10), share=st.floats(0, 0.9))
def test_gradient_has_the_closed_form(values, temperature, share):
    """dL/da_i = w_i (L_i - mean_w L); with a floor and a temperature, (1 - n f) / T times that of the softmax."""
    n = len(values)
    weighting = created("softmax", n, seed=4, temperature=temperature, floor=share / n)
    weighting(named(values)).backward()
    p, losses = torch.softmax(weighting.a.detach() / temperature, 0), torch.tensor(values, dtype=torch.float64)
    expected = (1 - share) / temperature * p * (losses - (p * losses).sum())
    torch.testing.assert_close(weighting.a.grad, expected, rtol=1e-6, atol=1e-9)


def test_softmax_is_chaes():
    """Zeros at the start, one learned number a task, nothing else in state or objective."""
    weighting = create_weighting("softmax", ["emotion", "gender"])
    assert {k: v.tolist() for k, v in weighting.state_dict().items()} == {"a": [0.0, 0.0]}
    weighting.a.data = torch.tensor([1.0, -1.0])
    losses = named([2.0, 0.5])
    expected = torch.softmax(weighting.a.detach().double(), 0)
    scalar = weighting({"emotion": losses["task0"], "gender": losses["task1"]})
    assert scalar.item() == pytest.approx(2.0 * expected[0].item() + 0.5 * expected[1].item(), rel=1e-6)


@given(values=LOSSES, share=st.floats(0, 0.99))
def test_no_weight_is_below_the_floor(values, share):
    n = len(values)
    for name in ("softmax", "uw-so"):
        weights = created(name, n, seed=1, floor=share / n).weights(named(values)).values()
        assert all(w.item() >= share / n - 1e-12 for w in weights)
        assert sum(w.item() for w in weights) == pytest.approx(1)


@given(values=LOSSES)
def test_temperature_goes_from_all_to_even(values):
    hot = created("softmax", len(values), seed=2, temperature=1e6).weights(named(values)).values()
    assert [w.item() for w in hot] == pytest.approx([1 / len(values)] * len(values), rel=1e-4)
    cold = created("softmax", len(values), seed=2, temperature=1e-4)
    assert max(w.item() for w in cold.weights(named(values)).values()) == pytest.approx(1)
    assert cold.a.argmax() == torch.stack(list(cold.weights(named(values)).values())).argmax()


def trained(steps, losses, lr=0.01, **settings):
    """The second weight after so many steps of Adam on constant losses."""
    weighting = create_weighting("softmax", ["task0", "task1"], **settings)
    optimiser = torch.optim.Adam(weighting.parameters(), lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        weighting.backward(named(losses, torch.float32))
        optimiser.step()
    return weighting


def share(weighting, losses):
    weights = torch.stack(list(weighting.weights(named(losses, torch.float32)).values()))
    return float(weighting.shares(weights, torch.tensor(losses))[1])


def test_softmax_moves_weight_to_the_easier_task():
    losses = [1.0, 0.1]
    # At first, Adam moves both by the rate a step: the gap is 2 * 0.01 * 20 = 0.4, and softmax gives 1 / (1 + e^-0.4).
    assert share(trained(20, losses), losses) == pytest.approx(0.599, abs=0.003)
    assert share(trained(500, losses), losses) > 0.95


def test_remedies():
    losses = [1.0, 0.1]
    assert 0.75 < share(trained(500, losses, floor=0.2), losses) < 0.8
    assert share(trained(20, losses, temperature=4.0), losses) == pytest.approx(0.525, abs=0.003)  # a gap of 0.4 / 4
    for normalise in ("first", "running"):
        assert share(trained(200, losses, normalise=normalise), losses) == pytest.approx(0.5, abs=1e-3)


def test_first_keeps_the_first_losses_and_running_follows():
    for normalise, expected in (("first", [4.0, 1.0]), ("running", [0.99 * 4 + 0.01 * 2, 0.99 * 1 + 0.01 * 3])):
        weighting = create_weighting("softmax", ["task0", "task1"], normalise=normalise)
        assert weighting.observes
        first = named([4.0, 1.0], torch.float32)
        assert weighting(first).item() == pytest.approx(1.0)
        assert [w.item() for w in weighting.weights(first).values()] == [0.125, 0.5]
        weighting.observe(torch.tensor([4.0, 1.0]))
        weighting.observe(torch.tensor([2.0, 3.0]))
        assert weighting.scale.tolist() == pytest.approx(expected)
        found = weighting(named([2.0, 3.0], torch.float32)).item()
        assert found == pytest.approx(0.5 * 2 / expected[0] + 0.5 * 3 / expected[1])


def test_a_loss_of_zero_divides_nothing_by_zero():
    for name in ("softmax", "uw-so"):
        weighting = create_weighting(name, ["task0", "task1"], normalise="running")
        losses = {"task0": torch.tensor(0.0, requires_grad=True), "task1": torch.tensor(1.0, requires_grad=True)}
        weighting.backward(losses)
        weighting.backward(losses)
        assert torch.isfinite(losses["task0"].grad)
        assert torch.isfinite(weighting(losses))


def test_uw_so_lets_no_gradient_through_its_weights():
    weighting = create_weighting("uw-so", ["a", "b"])
    losses = {"a": torch.tensor(1.0, requires_grad=True), "b": torch.tensor(0.5, requires_grad=True)}
    weighting(losses).backward()
    assert [loss.grad.item() for loss in losses.values()] == [w.item() for w in weighting.weights(losses).values()]


def test_uw_so_of_unequal_losses_is_with_the_smaller_at_once():
    weights = [w.item() for w in created("uw-so", 2).weights(named([1.0, 0.1])).values()]
    assert weights == pytest.approx([1.23395e-4, 0.9998766], rel=1e-5)  # softmax of 1 and 10
    assert min(w.item() for w in created("uw-so", 2, normalise="first").weights(named([1.0, 0.1])).values()) > 0.04


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"floor": 0.5}, "floor = 0.5: 2 tasks share a weight of 1; set 0 or more, less than 0.5"),
        ({"floor": -0.1}, "floor = -0.1"),
        ({"temperature": 0.0}, "temperature = 0: above 0 was expected"),
        ({"temperature": float("inf")}, "temperature = inf"),
        ({"normalise": "runing"}, 'normalise "runing": unknown. Nearest: running'),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    for name in ("softmax", "uw-so"):
        with pytest.raises(UsageError, match=message):
            create_weighting(name, ["a", "b"], **settings)
