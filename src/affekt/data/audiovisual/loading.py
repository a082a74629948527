"""ClipLoader: batches of clips, decoded ahead by threads; a clip that cannot be read is named and left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import torch

from affekt.data.audiovisual.ahead import read_or_say, told_apart
from affekt.data.audiovisual.batch import ClipBatch, collate
from affekt.data.audiovisual.clips import Clips, Decoded
from affekt.data.decoding import default_workers, mapped
from affekt.data.stimuli import Ints

if TYPE_CHECKING:
    from affekt.data.audiovisual.reading import Reading

__all__ = ["ClipBatch", "ClipLoader"]


class ClipLoader:
    """Clips by index. What is loaded depends on the indices alone, not on workers; memory holds two batches and what
    the workers are at, however long the set is.

        loader = ClipLoader(splits.train, device="cuda")
        for batch in loader.batches(order.split(16)): ...
    """

    def __init__(self, clips: Clips, *, workers: int | None = None, device: torch.device | str = "cpu") -> None:
        """
        Args:
            workers: decoding threads; None: by cores; 0: decode when asked.
            device: where batches are wanted.
        """
        self.clips = clips
        self.workers = default_workers() if workers is None else workers
        self.device = torch.device(device)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def reading(self) -> Reading:
        """How the clips are decoded."""
        return self.clips.media.reading

    def load(self, indices: Ints) -> ClipBatch:
        """One batch.

        Raises:
            DataError: none of its clips can be read.
        """
        return next(iter(self.batches([indices])))

    def batches(self, index_batches: Sequence[Ints], *, some: bool = True) -> Iterator[ClipBatch]:
        """Each of the batches, in order; clips that cannot be read are left out of theirs and named in ``problems``.

        Args:
            some: refuse a batch without a readable clip; else it is empty.

        Raises:
            DataError: none of a batch's clips can be read.
        """
        wanted = [np.asarray(indices, dtype=np.int64) for indices in index_batches]
        flat = [int(index) for indices in wanted for index in indices]
        ahead = 2 * max((len(indices) for indices in wanted), default=1)
        with closing(mapped(lambda index: read_or_say(self.clips.media, index), flat, self.workers, ahead)) as read:
            for indices in wanted:
                yield self._batch(indices, [next(read) for _ in indices], some=some)

    def _batch(self, indices: Ints, found: Sequence[Decoded | str], *, some: bool) -> ClipBatch:
        there, decoded, problems = told_apart(self.clips.name, found, some=some)
        batch = collate(self.clips, indices[there], decoded, self.reading.samples, problems)
        return batch if self.device.type == "cpu" else batch.to(self.device)
