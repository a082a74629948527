"""Optimisers and schedules: closed forms, PyTorch's own schedulers, and who is decayed."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import settings, task
from torch import nn

from affekt.errors import UsageError
from affekt.training.optimisation import create_optimiser, create_schedule, set_learning_rate, weighting_group
from affekt.weighting import create_weighting

CPU = torch.device("cpu")


def factors(steps=60, steps_per_epoch=5, **keys):
    factor = create_schedule(settings(**keys), steps=steps, steps_per_epoch=steps_per_epoch)
    return [factor(s) for s in range(steps)]


def of_torch(scheduler, steps):
    """What one of PyTorch's schedulers does with a learning rate of 1."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = scheduler(optimiser)
    found = []
    for _ in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return found


def test_cosine_is_that_of_torch():
    expected = of_torch(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 60), 60)
    assert factors(schedule="cosine") == pytest.approx(expected, abs=1e-12)


def test_one_cycle_is_that_of_torch():
    def one_cycle(optimiser):
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1.0, total_steps=60, cycle_momentum=False)

    assert factors(schedule="one-cycle") == pytest.approx(of_torch(one_cycle, 60), abs=1e-12)


def test_one_cycle_rises_over_the_warmup_if_there_is_one():
    found = factors(schedule="one-cycle", warmup=2.0)
    assert found[9] == max(found) == 1.0
    assert found[0] == pytest.approx(1 / 25)
    assert found[-1] == pytest.approx(1 / 250_000)


def test_step_divides_by_ten():
    found = factors(schedule="step", step_every=4)
    assert found == pytest.approx([1.0] * 20 + [0.1] * 20 + [0.01] * 20)


def test_constant_after_linear_warmup():
    assert factors(schedule="constant", warmup=2.0) == pytest.approx([(s + 1) / 10 for s in range(10)] + [1.0] * 50)


def test_cosine_after_warmup_starts_from_one():
    found = factors(schedule="cosine", warmup=2.0)
    assert found[9:11] == [1.0, 1.0]
    assert found[35] == pytest.approx(0.5 * (1 + math.cos(math.pi * 25 / 50)))


@given(
    name=st.sampled_from(["constant", "cosine", "one-cycle", "step"]),
    steps=st.integers(1, 40),
    steps_per_epoch=st.integers(1, 7),
    warmup=st.floats(0, 20),
)
def test_factors_stay_between_zero_and_one(name, steps, steps_per_epoch, warmup):
    found = factors(steps, steps_per_epoch, schedule=name, warmup=warmup)
    assert all(0 < f <= 1 + 1e-12 for f in found)


def test_unknown_schedule_is_named_with_the_nearest():
    with pytest.raises(UsageError, match=r'schedule "cosin": unknown. Nearest: cosine'):
        create_schedule(settings(schedule="cosin"), steps=1, steps_per_epoch=1)


def groups(**keys):
    found = task()
    chosen = settings(**keys)
    return found, create_optimiser(chosen, found.parameter_groups(chosen.learning_rate, chosen.weight_decay), CPU)


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_vectors_are_not_decayed(name, kind):
    found, optimiser = groups(optimiser=name, weight_decay=0.3, momentum=0.8)
    assert type(optimiser) is kind
    for group in optimiser.param_groups:
        assert group["fused"]
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] == 0.3}
        assert (group["momentum"] if name == "sgd" else group["betas"][0]) == 0.8
    assert sum(len(g["params"]) for g in optimiser.param_groups) == len(list(found.parameters()))


def test_sgd_is_nesterov_by_the_formula():
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = create_optimiser(settings(momentum=0.9), [{"params": [weight], "lr": 0.1, "weight_decay": 0.5}], CPU)
    expected, memory = torch.tensor([1.0, -2.0]), torch.zeros(2)
    for gradient in (torch.tensor([0.3, 0.1]), torch.tensor([-0.2, 0.4])):
        weight.grad = gradient.clone()
        optimiser.step()
        decayed = gradient + 0.5 * expected
        memory = 0.9 * memory + decayed
        expected = expected - 0.1 * (decayed + 0.9 * memory)
    assert torch.allclose(weight.detach(), expected, atol=1e-7)


def test_groups_keep_their_own_rate_under_the_schedule():
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    given_groups = [
        {"params": [first], "lr": 0.1, "weight_decay": 0},
        {"params": [second], "lr": 0.01, "weight_decay": 0},
    ]
    optimiser = create_optimiser(settings(), given_groups, CPU)
    for factor in (0.5, 0.25, 1.0):
        set_learning_rate(optimiser, factor)
        assert [g["lr"] for g in optimiser.param_groups] == pytest.approx([0.1 * factor, 0.01 * factor])


def test_nothing_to_train_is_refused():
    found = task().requires_grad_(False)
    with pytest.raises(UsageError, match="nothing to train: no parameter of the task takes a gradient"):
        create_optimiser(settings(), found.parameter_groups(0.1, 0.1), CPU)


def test_weighting_has_an_undecayed_group_only_if_it_learns():
    (group,) = weighting_group(create_weighting("softmax", tasks=["a", "b"]), 0.3)
    assert group["lr"] == 0.3
    assert group["weight_decay"] == 0
    assert weighting_group(create_weighting("sum", tasks=["a"]), 0.3) == []
    assert weighting_group(None, 0.3) == []
