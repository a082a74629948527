"""Evaluation: one split through a task; its batches are dealt to the processes, and totals are exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.data.loading import Loader
from affekt.randomness import torch_seed
from affekt.training.batches import Batcher, index_batches
from affekt.training.distributed import Processes, dealt, gather, share_buffers
from affekt.training.precision import autocast
from affekt.training.results import Evaluation
from affekt.training.task import Task

Scored = tuple[int, int, dict[str, float], dict[str, NDArray[np.generic]]]
"""Number of the batch, its size, its losses, its outputs."""


def evaluate(
    task: Task,
    split: str,
    loader: Loader,
    batcher: Batcher,
    *,
    batch_size: int,
    device: torch.device,
    precision: str,
    processes: Processes,
    seed: int,
) -> Evaluation:
    """Score a split. Each item is seen once, whatever the number of processes, and all processes get the result.

    A task that draws at random in evaluation draws the same for a batch each time.
    """
    share_buffers(task)
    batches = dealt(index_batches(loader.stimuli, batch_size), processes)
    modes = [(module, module.training) for module in task.modules()]
    task.eval()
    scored: list[Scored] = []
    try:
        with torch.no_grad():
            loaded = loader.batches([indices for _, indices in batches])
            for (number, indices), item in zip(batches, loaded, strict=True):
                batch = batcher.evaluation(item, split)
                with torch_seed("evaluation", seed, split, number), autocast(device, precision):
                    losses, outputs = task.score(batch)
                scored.append((number, len(indices), _floats(losses), {k: _array(v) for k, v in outputs.items()}))
    finally:
        # One by one: a frozen part may be in evaluation mode while the rest trains.
        for module, training in modes:
            module.training = training
    return _merged(task, loader, sorted((s for part in gather(scored) for s in part), key=lambda s: s[0]))


def _merged(task: Task, loader: Loader, scored: Sequence[Scored]) -> Evaluation:
    names = scored[0][3]
    outputs = {name: np.concatenate([s[3][name] for s in scored]) for name in names}
    total = sum(size for _, size, _, _ in scored)
    losses = {name: sum(s[2][name] * s[1] for s in scored) / total for name in scored[0][2]}
    labels = loader.stimuli.labels
    finished = dict(task.finish(outputs, labels))
    metrics = {name: float(value) for name, value in task.metrics(finished, labels).items()}
    return Evaluation(metrics=metrics, losses=losses, outputs=finished)


def _floats(losses: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(loss) for name, loss in losses.items()}


def _array(tensor: torch.Tensor) -> NDArray[np.generic]:
    tensor = tensor.detach()
    tensor = tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
    array: NDArray[np.generic] = tensor.cpu().numpy()
    return array
