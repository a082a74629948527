"""Loader: batches of pictures and labels on a device - from memory when they fit, else decoded ahead by workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from affekt.data.decoding import WorkerPool, decode_into, default_workers, in_background, in_order, read_array
from affekt.data.packs.pictures import PackedPictures
from affekt.data.pictures import ArrayPictures
from affekt.data.stimuli import Ints, Labels, Stimuli
from affekt.errors import DataError

Loaded = tuple[Ints, Tensor, dict[str, Tensor]]

GIB = 2**30
_FREE_SHARE = 0.5  # of a GPU's free memory that pictures may take: the rest belongs to the training


class Loader:
    """Pictures and labels by index. What is loaded depends on the indices alone, not on workers or memory.

    Pictures that come as an array are used where they lie; others are decoded once into one uint8 tensor, on the
    training device, if that takes no more than ``memory_gib``; otherwise each batch is decoded as it is asked for.
    On the CPU, packed pixels stay in their file, which processes share: batches are copied out of it ahead, by a
    thread.

        with Loader(stimuli, device="cuda") as loader:
            for indices, images, labels in loader.batches(order.split(128)): ...
    """

    def __init__(
        self,
        stimuli: Stimuli,
        *,
        device: torch.device | str = "cpu",
        memory_gib: float = 4.0,
        workers: int | None = None,
    ) -> None:
        """
        Args:
            stimuli: N pictures with labels.
            device: where batches are wanted.
            memory_gib: GiB that decoded pictures may take; 0: decode as they are read.
            workers: decoding threads or processes; None: by cores; 0: decode in this process.

        Raises:
            DataError: a picture that does not decode (at once where pictures go into memory, else when it is read).
        """
        self.stimuli = stimuli
        self.device = torch.empty(0, device=device).device  # "cuda" with its number, as tensors report it
        self.workers = default_workers() if workers is None else workers
        if self._lie_ready:
            self.workers = 0
        self.labels = label_tensors(stimuli.labels, self.device)
        self._rows: Tensor | None = None
        self._pixels = self._in_memory(memory_gib)
        self._pool = WorkerPool(stimuli.pictures, self.workers, stimuli.name)

    def __len__(self) -> int:
        return len(self.stimuli)

    @property
    def in_memory(self) -> bool:
        """Whether all pictures lie decoded in memory."""
        return self._pixels is not None

    @property
    def nbytes(self) -> int:
        """Bytes of decoded pictures that are kept; those of an array shared by several loaders count in each."""
        return 0 if self._pixels is None else self._pixels.numel()

    def load(self, indices: Ints) -> Loaded:
        """One batch: the indices, ``(B, 3, H, W)`` uint8 pictures and the labels, on the device.

        Labels by name: ``"category"`` ``(B,)`` int64, ``"votes"`` ``(B, K)`` float32, each rating ``(B,)`` float32.
        """
        indices = np.asarray(indices, dtype=np.int64)
        return self._with_labels(indices, self._read(indices))

    def batches(self, index_batches: Sequence[Ints]) -> Iterator[Loaded]:
        """:meth:`load` of each of the batches, in order; decoded ahead where pictures are not in memory.

        Raises:
            DataError: a picture that does not decode, or a worker that died.
        """
        wanted = [np.asarray(indices, dtype=np.int64) for indices in index_batches]
        if self._pixels is not None:
            yield from in_order(self.load, wanted)
            return
        for indices, images in zip(wanted, in_background(lambda: self._decoded(wanted)), strict=True):
            yield self._with_labels(indices, images)

    def close(self) -> None:
        """End the worker processes; the loader can be used again."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _in_memory(self, memory_gib: float) -> Tensor | None:
        """All pictures as one tensor, or None where they do not fit or lie ready in a file."""
        pictures = self.stimuli.pictures
        if self._lie_ready and self.device.type == "cpu":
            return None
        if isinstance(pictures, ArrayPictures):
            return self._array(pictures, memory_gib)
        shape = (len(pictures), *read_array(pictures, np.zeros(1, dtype=np.int64)).shape[1:])
        if not self._fits(int(np.prod(shape)), memory_gib):
            return None
        pixels = torch.empty(shape, dtype=torch.uint8)
        decode_into(pixels.numpy(), pictures, self.workers)
        return pixels.to(self.device)

    @property
    def _lie_ready(self) -> bool:
        """Whether a batch is only copied from a file: worker processes would copy it twice."""
        return isinstance(self.stimuli.pictures, PackedPictures) and self.stimuli.pictures.ready

    def _array(self, pictures: ArrayPictures, memory_gib: float) -> Tensor:
        """Pixels that are in memory already: shared on the CPU, only the rows of these stimuli on another device."""
        rows = None if pictures.rows is None else torch.from_numpy(np.ascontiguousarray(pictures.rows))
        if self.device != pictures.pixels.device:
            size = len(pictures) * pictures.pixels[:1].numel()
            if self._fits(size, memory_gib):
                return (pictures.pixels if rows is None else pictures.pixels[rows]).to(self.device)
        self._rows = rows
        return pictures.pixels

    def _fits(self, size: int, memory_gib: float) -> bool:
        room = memory_gib * GIB
        if self.device.type == "cuda":
            room = min(room, torch.cuda.mem_get_info(self.device)[0] * _FREE_SHARE)
        return size <= room

    def _read(self, indices: Ints) -> Tensor:
        """Pictures at ``indices``: on the device if they lie there, else on the CPU."""
        if self._pixels is None:
            return torch.from_numpy(read_array(self.stimuli.pictures, indices))
        rows = torch.from_numpy(indices)
        rows = rows if self._rows is None else self._rows[rows]
        return self._pixels.index_select(0, rows.to(self._pixels.device, non_blocking=True))

    def _decoded(self, wanted: Sequence[Ints]) -> Iterator[Tensor]:
        """Decoded batches on the CPU, in page-locked memory for a GPU; runs in the background thread."""
        if self.workers == 0:
            for indices, following in zip_longest(wanted, wanted[1:]):
                # The disk works at the next batch while this one is copied and learned from.
                if following is not None and isinstance(self.stimuli.pictures, PackedPictures):
                    self.stimuli.pictures.expect(following)
                yield self._pinned(self._read(indices))
            return
        for batch in self._pool.decoded(wanted):
            yield self._pinned(torch.from_numpy(batch))

    def _pinned(self, images: Tensor) -> Tensor:
        return images.pin_memory() if self.device.type == "cuda" else images

    def _with_labels(self, indices: Ints, images: Tensor) -> Loaded:
        if images.device != self.device:
            images = self._pinned(images).to(self.device, non_blocking=True)
        rows = torch.from_numpy(indices).to(self.device, non_blocking=True)
        return indices, images, {name: values.index_select(0, rows) for name, values in self.labels.items()}


def label_tensors(labels: Labels, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """``"category"`` (N,) int64, ``"votes"`` (N, K) float32 and each rating dimension (N,) float32, on a device.

    Raises:
        DataError: a rating dimension named like a label kind.
    """
    found: dict[str, Tensor] = {}
    if labels.category is not None:
        found["category"] = torch.as_tensor(labels.category, dtype=torch.int64, device=device)
    if labels.votes is not None:
        found["votes"] = torch.as_tensor(labels.votes, dtype=torch.float32, device=device)
    for name, values in labels.ratings.items():
        if name in ("category", "votes"):
            raise DataError(f'a rating dimension cannot be called "{name}"')
        found[name] = torch.as_tensor(values, dtype=torch.float32, device=device)
    return found
