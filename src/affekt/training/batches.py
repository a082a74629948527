"""Batches: loaded pictures and labels turned into what a task sees - augmented in training, plain in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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

AHEAD = 4096
"""Pictures of coming steps that a GPU augments at once: there, an operation on a batch costs little but its launch."""


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """Changed pictures on their way into batches.

    Attributes:
        indices: ``(N,)`` int64, of the pictures in their split.
        images: ``(N, 3, S, S)`` float32 in [0, 1].
        labels: by name.
        split, draw: what their numbers were drawn for.
    """

    indices: Tensor
    images: Tensor
    labels: dict[str, Tensor]
    split: str
    draw: int

    def __len__(self) -> int:
        return len(self.indices)

    def rows(self, rows: slice) -> Augmented:
        """Some of them."""
        if rows == slice(0, len(self)):
            return self
        labels = {name: values[rows] for name, values in self.labels.items()}
        return replace(self, indices=self.indices[rows], images=self.images[rows], labels=labels)


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

    def augmented(self, loaded: Loaded, *, draw: int, split: str = "train") -> Augmented:
        """Pictures of one step, or of several of one draw, each changed by its own numbers.

        Args:
            draw: epoch, or of the held-out companion the cycle.
        """
        items, pictures, labels = loaded
        indices = _items(items, pictures)
        images = self.augmentation(pictures, indices, seed=self._seed_of(split), epoch=draw)
        return Augmented(indices=indices, images=self._laid_out(images), labels=labels, split=split, draw=draw)

    def batch(self, made: Augmented, *, epoch: int, step: int, held_out: Batch | None = None) -> Batch:
        """Augmented pictures, mixed with each other where asked."""
        images, labels = made.images, made.labels
        partner: Tensor | None = None
        own: Tensor | None = None
        if self.augmentation.mixes:
            seed = self._seed_of(made.split)
            mixed = self.augmentation.mix(
                images, labels, made.indices, seed=seed, epoch=made.draw, categories=self.categories
            )
            images, labels, partner, own = mixed.images, mixed.labels, mixed.partner, mixed.share
        return Batch(
            images=self._laid_out(images),
            labels=labels,
            items=made.indices,
            split=made.split,
            partner=partner,
            share=own,
            held_out=held_out,
            epoch=epoch,
            step=step,
        )

    def _seed_of(self, split: str) -> int:
        return self.seed if split == "train" else stream("held-out augmentation", self.seed)

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
    together = steps_together(loaders["train"], len(shares[0])) if shares else 1
    train = ahead(loaders["train"], shares, batcher, draw=plan.epoch(steps.start), together=together)
    held_out = _held_out(plan, steps, loaders.get("held-out"), rank=rank, world=world)
    for step, augmented, loaded in zip(steps, train, held_out, strict=True):
        epoch = plan.epoch(step)
        companion = None
        if loaded is not None:
            companion = batcher.augmented(loaded, draw=plan.held_out_cycle(step), split="held-out")
        made: list[Batch] = []
        for part in _parts(len(augmented), parts):
            other = None if companion is None else batcher.batch(companion.rows(part), epoch=epoch, step=step)
            made.append(batcher.batch(augmented.rows(part), held_out=other, epoch=epoch, step=step))
        yield made


def steps_together(loader: Loader, size: int) -> int:
    """How many steps of ``size`` pictures are augmented at once: one, but on a GPU that has the pictures in memory."""
    return max(1, AHEAD // max(1, size)) if loader.device.type == "cuda" and loader.in_memory else 1


def ahead(loader: Loader, shares: Sequence[Ints], batcher: Batcher, *, draw: int, together: int) -> Iterator[Augmented]:
    """The augmented pictures of each share, which do not depend on how many shares are worked on ``together``."""
    groups = [shares[start : start + together] for start in range(0, len(shares), together)]
    for group, loaded in zip(groups, loader.batches([np.concatenate(group) for group in groups]), strict=True):
        augmented = batcher.augmented(loaded, draw=draw)
        bounds = np.cumsum([0, *map(len, group)]).tolist()
        yield from (augmented.rows(slice(*span)) for span in pairwise(bounds))


def _held_out(plan: Plan, steps: range, loader: Loader | None, *, rank: int, world: int) -> Iterator[Loaded | None]:
    if loader is None:
        yield from (None for _ in steps)
        return
    yield from loader.batches([share(plan.held_out_batch(step), rank=rank, world=world) for step in steps])


def _parts(size: int, parts: int) -> list[slice]:
    bounds = [0, *np.cumsum([len(p) for p in np.array_split(np.arange(size), parts)]).tolist()]
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]


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
