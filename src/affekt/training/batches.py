"""Batches: loaded pictures and labels turned into what a task sees - augmented in training, plain in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.data.stimuli import Ints
from affekt.randomness import stream
from affekt.training.plan import Plan, share
from affekt.training.task import Batch

Loaded = tuple[Ints, Tensor, dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Batcher:
    """Makes batches of loaded pictures.

    Attributes:
        augmentation: in training; evaluation uses its plain form.
        seed: of augmentation and mixing.
        channels_last: memory layout of the pictures.
        categories: K of the training labels, for mixing.
    """

    augmentation: Augmentation
    seed: int
    channels_last: bool
    categories: int

    def evaluation(self, loaded: Loaded, split: str) -> Batch:
        """Un-augmented pictures of a split."""
        items, images, labels = loaded
        images = self._laid_out(self.augmentation.plain(images))
        return Batch(images=images, labels=labels, items=_items(items, images), split=split)

    def training(self, loaded: Loaded, *, epoch: int, step: int, held_out: Batch | None = None) -> Batch:
        """Augmented pictures, mixed within the batch where asked."""
        return self._augmented(loaded, "train", seed=self.seed, draw=epoch, epoch=epoch, step=step, held_out=held_out)

    def held_out(self, loaded: Loaded, *, cycle: int, epoch: int, step: int) -> Batch:
        """Augmented pictures of the held-out companion, with draws of their own."""
        seed = stream("held-out augmentation", self.seed)
        return self._augmented(loaded, "held-out", seed=seed, draw=cycle, epoch=epoch, step=step, held_out=None)

    def _augmented(
        self, loaded: Loaded, split: str, *, seed: int, draw: int, epoch: int, step: int, held_out: Batch | None
    ) -> Batch:
        items, pictures, labels = loaded
        indices = _items(items, pictures)
        images = self.augmentation(pictures, indices, seed=seed, epoch=draw)
        partner: Tensor | None = None
        own: Tensor | None = None
        if self.augmentation.mixes:
            mixed = self.augmentation.mix(images, labels, indices, seed=seed, epoch=draw, categories=self.categories)
            images, labels, partner, own = mixed.images, mixed.labels, mixed.partner, mixed.share
        return Batch(
            images=self._laid_out(images),
            labels=labels,
            items=indices,
            split=split,
            partner=partner,
            share=own,
            held_out=held_out,
            epoch=epoch,
            step=step,
        )

    def _laid_out(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images


def _items(items: Ints, images: Tensor) -> Tensor:
    return torch.from_numpy(items).to(images.device, non_blocking=True)


def training_batches(
    plan: Plan,
    steps: range,
    loaders: Mapping[str, Loader],
    batcher: Batcher,
    *,
    rank: int,
    world: int,
    parts: int,
) -> Iterator[list[Batch]]:
    """For each of ``steps`` (all of one epoch) the parts of this process's share of the global batch.

    Mixing and batch normalisation see one part at a time.
    """
    shares = [share(plan.batch(step), rank=rank, world=world) for step in steps]
    train = loaders["train"].batches(shares)
    held_out = _held_out(plan, steps, loaders.get("held-out"), rank=rank, world=world)
    for step, loaded, companion in zip(steps, train, held_out, strict=True):
        made: list[Batch] = []
        for part in _parts(len(loaded[0]), parts):
            other = None
            if companion is not None:
                cycle = plan.held_out_cycle(step)
                other = batcher.held_out(_slice(companion, part), cycle=cycle, epoch=plan.epoch(step), step=step)
            made.append(batcher.training(_slice(loaded, part), epoch=plan.epoch(step), step=step, held_out=other))
        yield made


def _held_out(plan: Plan, steps: range, loader: Loader | None, *, rank: int, world: int) -> Iterator[Loaded | None]:
    if loader is None:
        yield from (None for _ in steps)
        return
    yield from loader.batches([share(plan.held_out_batch(step), rank=rank, world=world) for step in steps])


def _parts(size: int, parts: int) -> list[slice]:
    bounds = [0, *np.cumsum([len(p) for p in np.array_split(np.arange(size), parts)]).tolist()]
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def _slice(loaded: Loaded, part: slice) -> Loaded:
    items, images, labels = loaded
    if part == slice(0, len(items)):
        return loaded
    return items[part], images[part], {name: values[part] for name, values in labels.items()}


class LoadedPictures:
    """The pictures of a loader, for a task that prepares itself: decoded once, read from where they are kept."""

    def __init__(self, loader: Loader, rows: Ints | None = None) -> None:
        self._loader = loader
        self._rows = np.arange(len(loader)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8, on the loader's device."""
        return self._loader.load(self._rows[indices])[1]

    def take(self, indices: Ints) -> LoadedPictures:
        return LoadedPictures(self._loader, self._rows[indices])


def index_batches(items: int, size: int) -> Sequence[Ints]:
    """The indices of all items, in order, in batches of ``size``."""
    return [np.arange(start, min(start + size, items)) for start in range(0, items, size)]
