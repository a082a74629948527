"""Every rule of ours: order, scale, bounds and gradients; then values, and mistakes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rules import OURS, Shared, created, gradients, named, options, tasks

from affekt.errors import UsageError
from affekt.weighting import WEIGHTINGS, WeightedSum, Weighting, create_weighting, list_weightings

LOSSES = st.lists(st.floats(0, 100), min_size=1, max_size=6)
POSITIVE = st.lists(st.floats(0.01, 100), min_size=1, max_size=5)
TO_ONE = {"uniform", "softmax", "uw-so", "single"}
SCALED = [name for name in OURS if name not in ("uw", "uw-so")]
"""Weights that do not look at the losses."""


@pytest.mark.parametrize("name", OURS)
@given(values=LOSSES)
def test_order_of_the_losses_does_not_matter(name, values):
    weighting, losses = created(name, len(values), seed=1), named(values)
    backwards = dict(reversed(losses.items()))
    assert weighting(losses).item() == weighting(backwards).item()
    assert list(weighting.weights(backwards)) == list(losses)


@pytest.mark.parametrize("name", ["sum", "uniform", "softmax", "uw", "uw-so"])
@given(values=POSITIVE, data=st.data())
def test_names_of_the_tasks_do_not_matter(name, values, data):
    order = data.draw(st.permutations(range(len(values))))
    one = created(name, len(values))
    other = create_weighting(name, [f"task{i}" for i in order]).double()
    a, b = one.weights(named(values)), other.weights(named(values))
    assert {k: v.item() for k, v in a.items()} == pytest.approx({k: v.item() for k, v in b.items()})


@pytest.mark.parametrize("name", SCALED)
@given(values=LOSSES, factor=st.floats(0.01, 100))
def test_scaling_all_losses_scales_the_result(name, values, factor):
    weighting = created(name, len(values), seed=2)
    scaled = weighting(named([factor * v for v in values])).item()
    assert scaled == pytest.approx(factor * weighting(named(values)).item(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", [n for n in OURS if n != "uw"])
@given(values=LOSSES)
def test_result_is_the_weighted_sum_and_weights_are_bounded(name, values):
    weighting, losses = created(name, len(values), seed=3), named(values)
    weights = weighting.weights(losses)
    assert weighting(losses).item() == pytest.approx(sum(weights[k].item() * losses[k].item() for k in losses))
    assert all(w.item() >= 0 and not w.requires_grad for w in weights.values())
    if name in TO_ONE:
        assert sum(w.item() for w in weights.values()) == pytest.approx(1)
        assert all(w.item() <= 1 for w in weights.values())


@pytest.mark.parametrize("name", ["sum", "uniform", "constant", "single", "softmax", "uw"])
@given(values=LOSSES)
@settings(max_examples=10)
def test_gradients_are_those_of_finite_differences(name, values):
    """By the losses and by what is learned; UW-SO stops a gradient and is no function's derivative."""
    weighting = created(name, len(values), seed=4)
    learned = list(weighting.parameters())
    losses = torch.tensor(values, dtype=torch.float64, requires_grad=True)

    def scalar(losses, *_):
        return weighting(dict(zip(weighting.tasks, losses.unbind(), strict=True)))

    assert torch.autograd.gradcheck(scalar, (losses, *learned))


@pytest.mark.parametrize("name", OURS)
@given(values=POSITIVE)
@settings(max_examples=20)
def test_weights_are_the_derivatives_by_the_losses(name, values):
    weighting = created(name, len(values), seed=5)
    losses = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    weighting(dict(zip(weighting.tasks, losses.unbind(), strict=True))).backward()
    weights = torch.stack(list(weighting.weights(named(values)).values()))
    assert torch.equal(losses.grad, weights)


@pytest.mark.parametrize(
    ("name", "more", "weights"),
    [
        ("sum", {}, [1, 1, 1]),
        ("uniform", {}, [1 / 3] * 3),
        ("constant", {"weights": {"task2": 3, "task0": 1, "task1": 2}}, [1, 2, 3]),
        ("single", {"task": "task1"}, [0, 1, 0]),
        ("softmax", {}, [1 / 3] * 3),
        ("uw", {}, [0.5, 0.5, 0.5]),
        # exp of 1/2, 1 and 2, by their sum 11.7561
        ("uw-so", {}, [0.140244, 0.231224, 0.628532]),
        ("uw-so", {"temperature": 1000.0}, [0.333111, 0.333278, 0.333611]),
    ],
)
def test_values_at_the_start(name, more, weights):
    weighting, losses = created(name, 3, **more), named([2.0, 1.0, 0.5])
    found = [w.item() for w in weighting.weights(losses).values()]
    assert found == pytest.approx(weights, rel=1e-5)
    assert weighting(losses).item() == pytest.approx(2 * weights[0] + weights[1] + 0.5 * weights[2], rel=1e-5)


@pytest.mark.parametrize("name", OURS)
def test_backward_is_backward_of_the_scalar(name):
    one, other, weighting = Shared(3), Shared(3), created(name, 3, seed=6)
    weights = weighting.backward(one.losses(), one.parameters())
    mine = [p.grad.clone() for p in weighting.parameters()]
    weighting.zero_grad()
    weighting(other.losses()).backward()
    assert weights == weighting.weights(other.losses())
    for key, gradient in gradients(one).items():
        expected = gradients(other)[key]
        assert (gradient is None) == (expected is None)
        assert gradient is None or torch.equal(gradient, expected)
    assert all(torch.equal(a, p.grad) for a, p in zip(mine, weighting.parameters(), strict=True))


def test_single_leaves_alone_what_others_reach():
    network = Shared(3)
    created("single", 3).backward(network.losses())
    found = gradients(network)
    assert found["trunk.weight"].abs().sum() > 0
    assert found["heads.0.weight"] is not None
    assert found["heads.1.weight"] is None
    assert found["heads.2.weight"] is None


def test_single_does_not_look_at_a_broken_loss():
    losses = named([2.0, float("nan")])
    assert created("single", 2)(losses).item() == 2.0


def test_half_precision_losses_are_summed_in_float32():
    losses = {"a": torch.tensor(256.0, dtype=torch.bfloat16), "b": torch.tensor(1.0, dtype=torch.bfloat16)}
    assert create_weighting("sum", ["a", "b"])(losses).item() == 257.0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert create_weighting("sum", ["a", "b"])(losses).item() == 257.0


def test_products_of_a_rule_are_not_taken_in_half_precision():
    class Product(WeightedSum):
        def _weigh(self, losses):
            return torch.ones(len(losses), len(losses)) @ losses.detach()

    losses = {"a": torch.tensor(256.0), "b": torch.tensor(1.0)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert [w.item() for w in Product(["a", "b"]).weights(losses).values()] == [257.0, 257.0]


def test_names_of_regulation_do():
    """Emotional Regulation's three losses, and those of an affect network."""
    for names in (("regulated", "non_emotional", "influenced"), ("categories", "valence", "arousal")):
        for name in OURS:
            more = {"single": {"task": names[0]}, "constant": {"weights": [1, 2, 3]}}.get(name, {})
            losses = {n: torch.tensor(1.0, requires_grad=True) for n in names}
            weighting = create_weighting(name, names, **more)
            weighting(losses).backward()
            assert tuple(weighting.weights(losses)) == names


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: create_weighting("sofmax", ["a"]), 'weighting "sofmax": unknown. Nearest: softmax'),
        (lambda: create_weighting("sum", ["a"], temperature=2), 'no option "temperature"; it has none'),
        (lambda: create_weighting("softmax", ["a"], flor=2), 'no option "flor"; it has floor, temperature, normalise'),
        (lambda: create_weighting("single", ["a"]), 'weighting "single" needs task: set it in .weighting.options.'),
        (lambda: create_weighting("single", ["emotion"], task="emtion"), 'task "emtion": unknown. Nearest: emotion'),
        (lambda: create_weighting("constant", ["a", "b"], weights=[1]), "1 for 2 tasks; give one for each of a, b"),
        (lambda: create_weighting("constant", ["a"], weights={"b": 1}), 'weights: task "b": unknown'),
        (lambda: create_weighting("constant", ["a"], weights=[-1]), "0 or more each"),
        (lambda: create_weighting("sum", []), "give a list of different names"),
        (lambda: create_weighting("sum", "abc"), "give a list of different names"),
        (lambda: create_weighting("sum", ["a", "a"]), "give a list of different names"),
        (lambda: create_weighting("sum", ["a", "b"])({"a": torch.tensor(1.0)}), "missing: b; create it with"),
        (lambda: create_weighting("sum", ["a"])({"b": torch.tensor(1.0)}), "missing: a; unknown: b"),
        (lambda: create_weighting("sum", ["a"])({"a": 1.0}), r'loss "a" is a float; give a tensor'),
        (lambda: create_weighting("sum", ["a"])({"a": torch.ones(3)}), r'loss "a" has shape \(3,\); give a scalar'),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_every_rule_is_listed():
    assert list(WEIGHTINGS) == OURS == ["sum", "uniform", "constant", "single", "softmax", "uw", "uw-so"]
    assert list_weightings()[: len(OURS)] == OURS
    assert {"pcgrad", "mgda", "cagrad", "upgrad", "dwa", "famo", "geometric-mean", "imtl-l", "stch", "random"} <= set(
        list_weightings()
    )


def test_settings_tell_two_of_a_name_apart():
    assert created("softmax", 2).settings == created("sum", 2).settings == {}
    assert created("softmax", 2, floor=0.1).settings == {"floor": 0.1}
    assert created("single", 2).settings == {"task": "task0"}
    assert isinstance(created("uw", 2), Weighting)
    assert options("constant", 2)["weights"] == list(created("constant", 2).settings["weights"])
    assert tasks(2) == list(created("sum", 2).tasks)
