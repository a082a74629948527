"""Cosine: how far the gradients of the tasks point the same way, on training items that stay the same."""

from __future__ import annotations

import torch

from affekt.randomness import permutation, torch_seed
from affekt.training.feed import Feed
from affekt.training.precision import autocast
from affekt.training.task import Task
from affekt.weighting import gradient_cosine


def gradient_cosines(
    task: Task, feed: Feed, *, size: int, device: torch.device, precision: str, seed: int
) -> dict[str, float]:
    """``"a ~ b"`` -> cosine between the gradients of the losses a and b, with the weights as they are.

    On up to ``size`` training items, drawn once by ``seed``, un-augmented, the network in evaluation mode: nothing
    of the training changes by it, and two epochs are measured on the same.
    """
    chosen = permutation(len(feed.ids("train")), seed=seed, epoch=0, name="gradient cosine")[:size]
    (batch,) = feed.evaluation("train", [chosen])
    modes = [(module, module.training) for module in task.modules()]
    task.eval()
    try:
        with torch.enable_grad(), torch_seed("gradient cosine", seed), autocast(device, precision):
            losses = task.losses(batch)
        found = gradient_cosine(losses, task.parameters())
    finally:
        for module, training in modes:
            module.training = training
    return {f"{one} ~ {other}": value for (one, other), value in found.items()}
