"""Gradients of tasks: the cosine by hand, rules on them, heads, frozen parts and parts of a batch."""

import math

import pytest
import torch
from rules import Shared, created, gradients, named, tasks
from torch import nn

from affekt.errors import UsageError
from affekt.weighting import GradientWeighting, gradient_cosine


class Doubled(GradientWeighting):
    """Weights of 2 and 3: a rule as a user would write it."""

    name = "doubled"

    def _aggregate(self, matrix):
        self.seen = matrix.clone()
        weights = torch.arange(2, len(matrix) + 2).to(matrix)
        return weights @ matrix, weights


def test_cosine_by_hand():
    x = nn.Parameter(torch.tensor([1.0, 2.0]))
    losses = {"a": 3 * x[0], "b": x[0] + x[1], "c": -x[0], "d": torch.tensor(1.0), "e": 0 * x[0]}
    found = gradient_cosine(losses, [x])
    assert found["a", "b"] == pytest.approx(math.sqrt(0.5))
    assert found["a", "c"] == pytest.approx(-1)
    assert math.isnan(found["a", "d"])
    assert math.isnan(found["a", "e"])
    assert len(found) == 10
    assert x.grad is None
    sum(loss for loss in losses.values()).backward()  # the graph is still there
    assert x.grad.tolist() == [3.0, 1.0]


def test_cosine_is_taken_over_what_both_reach():
    network = Shared(2)
    network.trunk.weight.requires_grad_(False)
    losses = network.losses()
    rows = [torch.autograd.grad(loss, [network.trunk.bias], retain_graph=True)[0] for loss in losses.values()]
    expected = torch.cosine_similarity(rows[0], rows[1], dim=0).item()
    assert gradient_cosine(losses, network.parameters())["task0", "task1"] == pytest.approx(expected)


def test_cosine_of_nothing_that_learns_is_refused():
    with pytest.raises(UsageError, match=r"none of the parameters takes a gradient; give model.parameters"):
        gradient_cosine({"a": torch.tensor(1.0)}, [])


def test_shared_parameters_get_the_direction_and_heads_their_own():
    network, plain = Shared(2), Shared(2)
    weights = Doubled(tasks(2)).backward(network.losses(), network.parameters())
    assert [w.item() for w in weights.values()] == [2.0, 3.0]
    losses = plain.losses()
    (2 * losses["task0"] + 3 * losses["task1"]).backward(retain_graph=True)
    shared = [p.grad.clone() for p in plain.trunk.parameters()]
    plain.zero_grad()
    sum(losses.values()).backward()
    found = gradients(network)
    for parameter, expected in zip(network.trunk.parameters(), shared, strict=True):
        torch.testing.assert_close(parameter.grad, expected)
    for key, expected in gradients(plain).items():
        if key.startswith("heads"):
            torch.testing.assert_close(found[key], expected)
    assert all(found[key] is None for key in found if key.startswith(("frozen", "idle")))


def test_only_shared_parameters_are_seen():
    network, rule = Shared(3), Doubled(tasks(3))
    rule.backward(network.losses(), network.parameters())
    assert rule.seen.shape == (3, 4 * 3 + 4)
    trunk = list(network.trunk.parameters())
    for row, loss in zip(rule.seen, network.losses().values(), strict=True):
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, trunk, retain_graph=True)])
        torch.testing.assert_close(row, expected)


def test_gradients_are_added_to_what_is_there_in_the_parameters_layout():
    kernel = nn.Parameter(torch.rand(4, 3, 2, 2).to(memory_format=torch.channels_last))
    losses = {"task0": kernel.sum(), "task1": (2 * kernel).sum()}
    for number in (1, 2):
        losses = {"task0": kernel.sum(), "task1": (2 * kernel).sum()}
        Doubled(tasks(2)).backward(losses, [kernel])
        assert kernel.grad.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(kernel.grad, torch.full_like(kernel, number * (2 * 1 + 3 * 2)))


def test_parts_add_up_to_the_whole():
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)).double()
    weight = nn.Parameter(torch.ones(3).double())

    def losses(rows):
        return {"task0": (rows @ weight).square().mean(), "task1": (rows @ weight).mean()}

    rule = Doubled(tasks(2))
    rule.backward(losses(x), [weight])
    whole, weight.grad = weight.grad, None
    rule.collect(losses(x[:2]), [weight], 2 / 8)
    rule.collect(losses(x[2:]), [weight], 6 / 8)
    rule.settle()
    torch.testing.assert_close(weight.grad, whole)


def test_what_is_settled_is_added_up_over_processes():
    weight = nn.Parameter(torch.ones(3))
    rule = Doubled(tasks(2))
    rule.collect({"task0": weight.sum(), "task1": weight.sum()}, [weight])
    rule.settle(lambda tensor: tensor.mul_(2))
    assert weight.grad.tolist() == [10.0] * 3


def test_one_task_has_nothing_to_balance():
    network, plain = Shared(1), Shared(1)
    weights = Doubled(tasks(1)).backward(network.losses(), network.parameters())
    plain.losses()["task0"].backward()
    assert [w.item() for w in weights.values()] == [1.0]
    for key, expected in gradients(plain).items():
        assert expected is None or torch.equal(gradients(network)[key], expected)


def test_a_loss_without_a_graph_reaches_nothing():
    network = Shared(2)
    losses = network.losses() | {"task2": torch.tensor(1.0).double()}
    rule = Doubled(tasks(3))
    rule.backward(losses, network.parameters())
    assert rule.seen[2].abs().sum() == 0


def test_misuse_is_named():
    with pytest.raises(UsageError, match=r"has no scalar: call weighting.backward\(losses, model.parameters\(\)\)"):
        Doubled(tasks(2))(named([1.0, 2.0]))
    with pytest.raises(UsageError, match="give the parameters too"):
        Doubled(tasks(2)).backward(Shared(2).losses())
    one, two = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    with pytest.raises(UsageError, match=r"no parameter is reached by two of task0, task1; .* use name = .sum"):
        Doubled(tasks(2)).backward({"task0": one.sum(), "task1": two.sum()}, [one, two])


def test_rules_of_losses_take_parameters_too():
    network = Shared(2)
    created("sum", 2).backward(network.losses(), network.parameters())
    assert network.trunk.weight.grad is not None
