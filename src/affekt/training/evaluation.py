"""Evaluation: one split through a task; its batches are dealt to the processes, and totals are exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.data.stimuli import Ints, Labels
from affekt.errors import DataError
from affekt.randomness import torch_seed
from affekt.training.batches import index_batches
from affekt.training.distributed import Processes, dealt, gather, share_buffers
from affekt.training.feed import Feed
from affekt.training.full_memory import is_full
from affekt.training.precision import autocast
from affekt.training.results import Evaluation
from affekt.training.task import Task

Scored = tuple[int, Ints, dict[str, float], dict[str, NDArray[np.generic]]]
"""Number of the batch, its items, its losses, its outputs."""


def evaluate(
    task: Task,
    split: str,
    feed: Feed,
    *,
    batch_size: int,
    device: torch.device,
    precision: str,
    processes: Processes,
    seed: int,
) -> Evaluation:
    """Score a split. Each item is seen once, whatever the number of processes, and all processes get the result.

    Items that cannot be read are left out; ``rows`` of the result are those that were scored.

    A task that draws at random in evaluation draws the same for a batch each time.

    Raises:
        DataError: none of the items can be read.
    """
    share_buffers(task)
    labels = feed.labels(split)
    batches = dealt(index_batches(len(feed.ids(split)), batch_size), processes)
    scored = _scored(task, split, feed, batches, device=device, precision=precision, seed=seed)
    every = sorted((s for part in gather(scored) for s in part), key=lambda s: s[0])
    if not every:
        raise DataError(f"{split}: none of {len(feed.ids(split))} items can be read")
    return _merged(task, labels, len(feed.ids(split)), every)


def fits(
    task: Task, split: str, feed: Feed, *, batch_size: int, device: torch.device, precision: str, seed: int
) -> bool:
    """Whether a first batch of so many items fits into memory in evaluation."""
    first = list(enumerate(index_batches(len(feed.ids(split)), batch_size)))[:1]
    try:
        _scored(task, split, feed, first, device=device, precision=precision, seed=seed)
    except Exception as error:
        if is_full(error):
            return False
        raise
    return True


def _scored(
    task: Task,
    split: str,
    feed: Feed,
    batches: Sequence[tuple[int, Ints]],
    *,
    device: torch.device,
    precision: str,
    seed: int,
) -> list[Scored]:
    """This process's batches through the task, in evaluation mode; its modes are as before afterwards."""
    modes = [(module, module.training) for module in task.modules()]
    task.eval()
    scored: list[Scored] = []
    try:
        with torch.no_grad():
            found = feed.evaluation(split, [indices for _, indices in batches])
            for (number, _), batch in zip(batches, found, strict=True):
                if not len(batch):
                    continue
                with torch_seed("evaluation", seed, split, number), autocast(device, precision):
                    losses, outputs = task.score(batch)
                rows = batch.items.cpu().numpy()
                scored.append((number, rows, _floats(losses), {k: _array(v) for k, v in outputs.items()}))
    finally:
        # One by one: a frozen part may be in evaluation mode while the rest trains.
        for module, training in modes:
            module.training = training
    return scored


def _merged(task: Task, labels: Labels, n: int, scored: Sequence[Scored]) -> Evaluation:
    names = scored[0][3]
    outputs = {name: np.concatenate([s[3][name] for s in scored]) for name in names}
    rows = np.concatenate([s[1] for s in scored])
    losses = {name: sum(s[2][name] * len(s[1]) for s in scored) / len(rows) for name in scored[0][2]}
    labels = labels if len(rows) == n else labels.take(rows)
    finished = dict(task.finish(outputs, labels))
    metrics = {name: float(value) for name, value in task.metrics(finished, labels).items()}
    return Evaluation(metrics=metrics, losses=losses, outputs=finished, rows=rows)


def _floats(losses: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(loss) for name, loss in losses.items()}


def _array(tensor: torch.Tensor) -> NDArray[np.generic]:
    tensor = tensor.detach()
    tensor = tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
    array: NDArray[np.generic] = tensor.cpu().numpy()
    return array
