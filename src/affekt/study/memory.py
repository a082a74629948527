"""Memory: bytes that a run holds at most, from its networks and its batch, whatever the machine."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.recipe import DataSettings, TrainingSettings
from affekt.study.estimating import KEPT
from affekt.study.records import parameters
from affekt.training.task import Batch, Task

PROCESS = 2**30
"""Bytes of a process that has loaded torch, and of what its operations need beside their results."""


def run_memory(task: Task, batch: Batch, engine: TrainingSettings, source: DataSettings, items: int) -> int:
    """Bytes: the process, weights with gradients and the optimiser's memory, what a part of a batch keeps for its way
    back, and the decoded pictures, where they are kept.

    Args:
        task: with its networks.
        batch: a few of its items, of the size that they have in training.
        items: of the data set.
    """
    counted = parameters(task.model)
    weights = 4 * (counted["total"] + KEPT[engine.optimiser] * counted["trainable"])
    at_once = -(-min(engine.batch_size, max(items, 1)) // engine.accumulate)
    pictures = items * 3 * source.image_size**2
    held = pictures if pictures <= source.memory * 2**30 else 0
    return int(PROCESS + weights + kept_for_backward(task, batch) * at_once + held)


def kept_for_backward(task: Task, batch: Batch) -> float:
    """Bytes of tensors that the forward pass keeps for the backward pass, weights left out, an item of the batch."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*task.parameters(), *task.buffers())}
    kept: dict[int, Tensor] = {}  # the tensors themselves, so that no two are at one place

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    task.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        task.losses(batch)
    sizes = [tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own]
    return sum(sizes) / len(batch)
