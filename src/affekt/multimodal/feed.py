"""Clip feed: clips of each split to the batches of an audio-visual task, padded to the longest of each batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

from affekt.data.audiovisual import ClipAugmentation, ClipBatch, ClipLoader, Clips
from affekt.data.stimuli import Ints, Labels, Strings
from affekt.multimodal.batch import AudioVisualBatch
from affekt.recipe import to_dict
from affekt.training.feed import Feed
from affekt.training.identity import content
from affekt.training.plan import Plan, share
from affekt.training.task import Batch


class ClipFeed(Feed):
    """Clips of each split. What happens to one in training is a function of (seed, epoch, clip).

    A clip that cannot be read is left out of its batch; its line is in ``problems``.

    Args:
        parts: split -> clips.
        hears: what the network is given of the sound: samples, their log-mel spectrogram, or nothing.
        sees: whether it is given the pictures.
        augmentation: in training; None: clips as they are.
        seed: of augmentation.
        workers: threads that decode; None: by cores.

    Attributes:
        problems: the lines of clips that could not be read, as far as they were asked for.
    """

    def __init__(
        self,
        parts: Mapping[str, Clips],
        *,
        hears: Literal["audio", "log-mel"] | None,
        sees: bool,
        augmentation: ClipAugmentation | None = None,
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        self.parts = dict(parts)
        self.problems: dict[str, None] = {}
        self._hears, self._sees = hears, sees
        self._augmentation, self._seed, self._workers = augmentation, seed, workers
        self._loaders: dict[str, ClipLoader] = {}
        self._device = torch.device("cpu")

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.parts)

    def place(self, device: torch.device) -> None:
        self._device = device

    def ids(self, split: str) -> Strings:
        return self.parts[split].ids

    def labels(self, split: str) -> Labels:
        """Each task's classes in ``extra``."""
        return Labels(extra={task: found.index for task, found in self.parts[split].labels.items()})

    def open(self, split: str) -> None:
        self._loaders[split] = ClipLoader(self.parts[split], workers=self._workers, device=self._device)

    def training(self, plan: Plan, steps: range, *, rank: int, world: int, parts: int) -> Iterator[list[Batch]]:
        shares = [share(plan.batch(step), rank=rank, world=world) for step in steps]
        cut = [[part for part in np.array_split(rows, parts) if len(part)] for rows in shares]
        loaded = self._read("train", [part for rows in cut for part in rows])
        for step, rows in zip(steps, cut, strict=True):
            yield [self._augmented(next(loaded), plan.epoch(step), step) for _ in rows]

    def evaluation(self, split: str, index_batches: Sequence[Ints]) -> Iterator[Batch]:
        return (self._made(batch, split) for batch in self._read(split, index_batches, some=False))

    def identity(self, splits: Sequence[str]) -> dict[str, Any]:
        return {
            "clip_augmentation": {} if self._augmentation is None else to_dict(self._augmentation.settings),
            "reading": self.parts["train"].media.reading.to_json(),
            "data": {split: content(self.ids(split), self.labels(split)) for split in splits},
        }

    def close(self) -> None:
        """Threads end with the batches that were asked for."""

    def _read(self, split: str, index_batches: Sequence[Ints], *, some: bool = True) -> Iterator[ClipBatch]:
        """``some``: a batch of which nothing can be read is an error, and not an empty one."""
        loader = self._loaders[split]
        for batch in loader.batches(index_batches, some=some):
            self.problems |= dict.fromkeys(batch.problems)
            yield batch

    def _augmented(self, batch: ClipBatch, epoch: int, step: int) -> Batch:
        if self._augmentation is not None:
            batch = self._augmentation(batch, seed=self._seed, epoch=epoch)
        return self._made(batch, "train", epoch=epoch, step=step)

    def _made(self, batch: ClipBatch, split: str, *, epoch: int = -1, step: int = -1) -> AudioVisualBatch:
        sound = {"audio": batch.audio, "log-mel": batch.log_mel, None: None}[self._hears]
        faces = batch.faces if self._sees else None
        return AudioVisualBatch(
            images=torch.empty(len(batch), 0, 3, 1, 1, device=self._device) if faces is None else faces,
            audio=sound,
            lengths=batch.lengths,
            labels=batch.labels,
            items=torch.from_numpy(batch.indices).to(self._device),
            split=split,
            epoch=epoch,
            step=step,
        )
