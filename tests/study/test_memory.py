"""Memory: that of a run, by hand for a network whose tensors can be counted."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from affekt.recipe import DataSettings, TrainingSettings
from affekt.study.memory import PROCESS, kept_for_backward, run_memory
from affekt.training import Batch, Task


class Plain(Task):
    """Two layers: the backward pass wants the pictures, what is between, and the log-probabilities."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(12, 10, bias=False), nn.ReLU(), nn.Linear(10, 5, bias=False))

    @property
    def loss_names(self):
        return ("class",)

    def losses(self, batch):
        return {"class": cross_entropy(self.model(batch.images), batch.labels["category"])}

    # Right as they are, no stubs: memory is a matter of the losses, and whoever asks for more should hear of it.
    def outputs(self, batch):
        raise NotImplementedError

    def metrics(self, outputs, labels):
        raise NotImplementedError


def batch(n=4):
    labels = {"category": torch.zeros(n, dtype=torch.int64)}
    return Batch(images=torch.rand(n, 3, 2, 2), labels=labels, items=torch.arange(n), epoch=0, step=0)


ONE = 4 * 12 + 4 * 10 + 4 * 5 + 8
"""Bytes an item: pictures, what is between, log-probabilities, the label."""


def test_what_the_way_back_needs():
    # One number more, whatever the batch: the loss' own weight.
    assert abs(kept_for_backward(Plain(), batch(8)) - ONE) <= 4 / 8


def test_parts_and_optimiser_and_pictures():
    task, source = Plain(), DataSettings(image_size=2)
    plain = TrainingSettings(batch_size=64, optimiser="sgd")
    base = run_memory(task, batch(64), plain, source, 1000)
    weights = 170
    assert abs(base - (PROCESS + 4 * 3 * weights + 64 * ONE + 1000 * 12)) <= 64
    halved = run_memory(task, batch(64), TrainingSettings(batch_size=64, accumulate=2), source, 1000)
    assert abs((base - halved) - 32 * ONE) <= 64
    adam = run_memory(task, batch(64), TrainingSettings(batch_size=64, optimiser="adam"), source, 1000)
    assert adam - base == 4 * weights
    read = run_memory(task, batch(64), plain, DataSettings(image_size=2, memory=0), 1000)
    assert base - read == 1000 * 12
    few = run_memory(task, batch(64), plain, source, 10)  # which fill no batch
    assert abs((base - few) - (54 * ONE + 990 * 12)) <= 64
