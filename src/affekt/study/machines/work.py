"""Work: what a training step asks of a machine - launches, operations and bytes, operation by operation; counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from affekt.data.augmentation import Augmentation
from affekt.perception import AffectTask
from affekt.recipe import AugmentationSettings
from affekt.regulation import RegulationTask
from affekt.regulation.affect_cache import AffectCache
from affekt.training.task import Batch, Task

Floats = NDArray[np.float64]

UPDATED = {"sgd": 5, "adam": 7, "adamw": 7}
"""Numbers of 4 bytes that the update of a parameter reads and writes: weight, gradient, and the optimiser's own."""

FREE = ("empty", "new_empty", "detach", "lift_fresh", "_local_scalar_dense", "device")
"""Beside views: operations that move no bytes."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a step does, one entry an operation that a device is asked for.

    Attributes:
        flops: ``(n,)`` of matrix products, convolutions and attention, a multiplication and an addition each; else 0.
        moved: ``(n,)`` bytes read and written, as if nothing stayed in a cache.
    """

    flops: Floats
    moved: Floats

    @property
    def launches(self) -> int:
        """Operations that the device is asked for."""
        return len(self.flops)

    def __add__(self, other: Work) -> Work:
        return Work(flops=np.concatenate([self.flops, other.flops]), moved=np.concatenate([self.moved, other.moved]))

    def __mul__(self, times: int) -> Work:
        return Work(flops=np.tile(self.flops, times), moved=np.tile(self.moved, times))


NOTHING = Work(flops=np.zeros(0), moved=np.zeros(0))


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation below it; reads no numbers, so that tensors without any will do."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._flops: list[float] = []
        self._moved: list[float] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket is torch.ops.aten._local_scalar_dense:
            return 0  # a check of values, which a tensor without any passes
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if not _is_free(func):
            self._flops.append(_flops(func, args, kwargs, out))
            self._moved.append(float(sum(map(_size, tree_leaves((args, kwargs, out))))))
        return out

    @property
    def work(self) -> Work:
        return Work(flops=np.array(self._flops), moved=np.array(self._moved))


def _is_free(func: Any) -> bool:
    name = func.overloadpacket.__name__
    return bool(func.is_view) or func.namespace == "prim" or name.startswith(FREE)


def _flops(func: Any, args: Any, kwargs: Any, out: Any) -> float:
    if func.overloadpacket is torch.ops.aten.convolution_backward:
        return _convolution_backward(*args, **kwargs)
    count = flop_registry.get(func.overloadpacket)
    return 0.0 if count is None else float(count(*args, **kwargs, out_val=out))


def _convolution_backward(out: Any, _images: Any, weight: Any, *rest: Any, **_: Any) -> float:
    """As many as forward for each gradient that is wanted; torch's own count takes grouped kernels for full ones."""
    wanted = sum(rest[-1][:2])
    return float(2 * wanted * out.numel() * weight[0].numel())


def _size(value: Any) -> int:
    """Bytes of a tensor as it lies in memory: what is repeated by a view is one."""
    if not isinstance(value, torch.Tensor):
        return 0
    return min(value.numel() * value.element_size(), value.untyped_storage().nbytes())


def training_work(
    task: Task,
    *,
    batch_size: int,
    stored_size: int,
    image_size: int,
    augmentation: AugmentationSettings,
    precision: str,
    optimiser: str,
    parts: int = 1,
    held_out: bool = False,
    cache_filled: bool = True,
) -> Work:
    """What a step of a training does: augmentation, forward and backward pass of every part, update.

    Nothing is computed, so a batch may be larger than the memory; the task keeps its weights and has no gradients.

    Args:
        stored_size: side of the pictures as they are kept, pixels.
        image_size: side of those that the task gets.
        parts: that a batch is worked through in.
        held_out: whether each batch has a companion, for the regulator.
        cache_filled: whether an affect cache, where the task has one, spares the emotional encoder its work.
    """
    each = -(-batch_size // parts)
    task.zero_grad(set_to_none=True)  # as a step does: what is there already would be added to
    with _no_numbers(task) as ledger, _cached(task) if cache_filled else nullcontext():
        batch = _batch(task, each, stored_size, image_size, augmentation)
        if held_out:
            batch = replace(batch, held_out=_batch(task, each, stored_size, image_size, augmentation))
        task.train()
        with _autocast(precision):
            total = torch.stack([loss.float() for loss in task.losses(batch).values()]).sum()
        torch.autograd.backward(total)
    task.zero_grad(set_to_none=True)
    return ledger.work * parts + _update(task, optimiser)


def scoring_work(task: Task, *, batch_size: int, image_size: int, precision: str) -> Work:
    """What a step of an evaluation does: one forward pass."""
    # With gradients allowed: without, attention is one operation of which nothing is known.
    with _no_numbers(task) as ledger, _cached(task):
        images = torch.zeros(batch_size, 3, image_size, image_size)
        task.eval()
        with _autocast(precision):
            task.score(Batch(images=images, labels=_labels(task, batch_size), items=torch.arange(batch_size)))
    task.train()
    return ledger.work


def _update(task: Task, optimiser: str) -> Work:
    """Of a fused optimiser: one launch that goes through all that learns."""
    learned = sum(p.numel() for p in task.parameters() if p.requires_grad)
    return Work(flops=np.zeros(1), moved=np.array([4.0 * UPDATED[optimiser] * learned]))


class _Filled:
    """An affect cache that has everything."""

    def __init__(self, cache: AffectCache) -> None:
        self._states, self._features = len(cache.emotional.state_names), cache.emotional.num_features
        self._with_features = cache.with_features

    def __contains__(self, split: str) -> bool:
        return True

    def state(self, batch: Batch) -> torch.Tensor:
        return torch.zeros(len(batch), self._states)

    def features(self, batch: Batch) -> torch.Tensor | None:
        return torch.zeros(len(batch), self._features) if self._with_features else None


@contextmanager
def _cached(task: Task) -> Iterator[None]:
    """The task with its affect cache, where it has one, as it is once it is filled."""
    cache = task.cache if isinstance(task, RegulationTask) else None
    if cache is None:
        yield
        return
    held: Any = task
    held.cache = _Filled(cache)
    try:
        yield
    finally:
        held.cache = cache


@contextmanager
def _no_numbers(task: Task) -> Iterator[Ledger]:
    """The block in which nothing is computed, but for what a task counts: that is put back."""
    counts = [(buffer, buffer.clone()) for buffer in task.buffers() if not buffer.is_floating_point()]
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), Ledger() as ledger:
            yield ledger
    finally:
        for buffer, value in counts:
            buffer.copy_(value)


def _autocast(precision: str) -> AbstractContextManager[None]:
    return torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bf16" else nullcontext()


def _batch(task: Task, size: int, stored: int, wanted: int, settings: AugmentationSettings) -> Batch:
    items = torch.arange(size)
    pictures = torch.zeros(size, 3, stored, stored, dtype=torch.uint8)
    images = Augmentation(settings, wanted)(pictures, items, seed=0, epoch=0)
    images = images.contiguous(memory_format=torch.channels_last)
    return Batch(images=images, labels=_labels(task, size), items=items, epoch=0, step=0)


def _labels(task: Task, size: int) -> dict[str, torch.Tensor]:
    """Labels of every kind that the task may ask for."""
    labels = {"category": torch.zeros(size, dtype=torch.int64)}
    if isinstance(task, AffectTask):
        network = task.model
        labels |= {name: torch.zeros(size) for name in network.ratings}
        labels["votes"] = torch.ones(size, max(len(network.categories), 1))
    return labels
