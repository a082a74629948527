"""Picture feed: stimuli to batches of pictures, kept in memory where they fit, augmented and mixed in training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from affekt.data.augmentation import Augmentation
from affekt.data.loading import Loader
from affekt.data.stimuli import Ints, Labels, Stimuli, Strings
from affekt.recipe import AugmentationSettings, to_dict
from affekt.training.batches import Batcher, LoadedPictures, training_batches
from affekt.training.feed import Feed
from affekt.training.identity import content
from affekt.training.plan import Plan
from affekt.training.task import Batch

PLAIN = AugmentationSettings(crop="none", flip=0.0)


class PictureFeed(Feed):
    """Stimuli of each split.

    Args:
        data: split -> stimuli.
        augmentation: in training; None: pictures as they are.
        image_size: side of the pictures that the task gets, pixels; None: as they are stored.
        seed: of augmentation and mixing.
        channels_last: memory layout of the pictures.
        memory_gib: decoded pictures kept in memory, GiB a split.
        workers: decoding processes where pictures do not fit; None: by cores.
    """

    def __init__(
        self,
        data: Mapping[str, Stimuli],
        *,
        augmentation: AugmentationSettings | None,
        image_size: int | None,
        seed: int,
        channels_last: bool,
        memory_gib: float,
        workers: int | None,
    ) -> None:
        self.data = dict(data)
        self._augmentation = augmentation or PLAIN
        self._image_size, self._seed, self._channels_last = image_size, seed, channels_last
        self._memory_gib, self._workers = memory_gib, workers
        self._device = torch.device("cpu")
        self._loaders: dict[str, Loader] = {}

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.data)

    def place(self, device: torch.device) -> None:
        self._device = device

    def ids(self, split: str) -> Strings:
        return self.data[split].ids

    def labels(self, split: str) -> Labels:
        return self.data[split].labels

    def open(self, split: str) -> Stimuli:
        """Load the pictures of a split; the stimuli that are returned read them from where they are kept."""
        loader = self._loaders[split] = Loader(
            self.data[split], device=self._device, memory_gib=self._memory_gib, workers=self._workers
        )
        return replace(self.data[split], pictures=LoadedPictures(loader))

    def training(self, plan: Plan, steps: range, *, rank: int, world: int, parts: int) -> Iterator[list[Batch]]:
        return training_batches(plan, steps, self._loaders, self._batcher("train"), rank=rank, world=world, parts=parts)

    def evaluation(self, split: str, index_batches: Sequence[Ints]) -> Iterator[Batch]:
        batcher = self._batcher(split)
        return (batcher.evaluation(loaded, split) for loaded in self._loaders[split].batches(index_batches))

    def identity(self, splits: Sequence[str]) -> dict[str, Any]:
        return {
            "augmentation": to_dict(self._augmentation),
            "image_size": self._size("train"),
            "data": {split: content(self.data[split].ids, self.data[split].labels) for split in splits},
        }

    def close(self) -> None:
        for loader in self._loaders.values():
            loader.close()

    def _batcher(self, split: str) -> Batcher:
        return Batcher(
            augmentation=Augmentation(self._augmentation, self._size(split)),
            seed=self._seed,
            channels_last=self._channels_last,
            categories=len(self.data[split].labels.categories),
        )

    def _size(self, split: str) -> int:
        if self._image_size is not None:
            return self._image_size
        return int(self._loaders[split].load(np.zeros(1, dtype=np.int64))[1].shape[-1])
