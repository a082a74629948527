"""EMA: the formula, the swap, and what is averaged."""

import pytest
import torch
from tiny import same, task, weights

from affekt.training.ema import Ema, changing, restore, snapshot


def test_average_follows_the_formula():
    module = torch.nn.Linear(2, 1, bias=False)
    average = Ema(module, 0.5)
    expected = module.weight.detach().clone()
    for step in range(1, 15):
        with torch.no_grad():
            module.weight.add_(step)
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module.weight.detach()
    assert torch.allclose(average.average["weight"], expected, rtol=1e-6)


def test_weights_come_back_to_the_bit():
    found = task()
    average = Ema(found, 0.9)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.mul_(1.1)
    own = weights(found)
    with average.applied():
        assert torch.equal(found.model[0].weight, task().model[0].weight)
        assert not same(weights(found), own)
    assert same(weights(found), own)
    assert torch.equal(average.average["model.0.weight"], task().model[0].weight)


def test_running_statistics_are_averaged_and_counters_copied():
    found = task("batch")
    average = Ema(found, 0.5)
    found.model[1].running_mean.fill_(1.0)
    found.model[1].num_batches_tracked.fill_(7)
    average.update()
    assert torch.allclose(average.average["model.1.running_mean"], torch.full((4,), 1 - 2 / 11))
    assert average.average["model.1.num_batches_tracked"] == 7


def test_frozen_weights_are_left_out_and_tied_ones_stand_once():
    found = torch.nn.ModuleList([torch.nn.Linear(2, 2, bias=False) for _ in range(3)])
    found[0].requires_grad_(False)
    found[2].weight = found[1].weight
    assert list(changing(found)) == ["1.weight"]


def test_snapshot_is_a_copy_and_restores():
    found = task()
    kept, own = snapshot(found), weights(found)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.zero_()
    restore(found, kept)
    assert same(weights(found), own)
    with pytest.raises(KeyError, match="another network"):
        restore(torch.nn.Linear(1, 1), kept)
