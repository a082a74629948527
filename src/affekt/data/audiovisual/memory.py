"""Clips in memory: a set that is small enough is decoded once; what cannot be read is left out and named."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from affekt.data.audiovisual.ahead import read_or_say, told_apart
from affekt.data.audiovisual.checking import gathered
from affekt.data.audiovisual.clips import Clips, Decoded, Ints
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.spectrogram import COLUMNS
from affekt.data.decoding import default_workers, mapped

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class MemoryMedia:
    """Clips that lie decoded in memory; a :class:`~affekt.data.audiovisual.clips.Media`."""

    reading: Reading
    decoded: Sequence[Decoded]

    def __len__(self) -> int:
        return len(self.decoded)

    def read(self, index: int) -> Decoded:
        return self.decoded[index]

    def take(self, indices: Ints) -> MemoryMedia:
        return replace(self, decoded=[self.decoded[i] for i in np.asarray(indices).tolist()])


def most_gib(clips: int, reading: Reading) -> float:
    """GiB that so many clips take at most, decoded."""
    frames = reading.limit * reading.fps
    sizes = {
        "audio": 4 * reading.samples,
        "log-mel": 4 * COLUMNS * reading.mels,
        "faces": 3 * reading.size**2,
    }
    return clips * frames * sum(sizes[name] for name in reading.features) / GIB


def in_memory(clips: Clips, *, workers: int | None = None) -> tuple[Clips, tuple[str, ...]]:
    """The clips, decoded, and the line of each that cannot be read, which is left out; what is odd about others
    is in their notes.

    Raises:
        DataError: none can be read.
    """
    threads = default_workers() if workers is None else workers
    with closing(
        mapped(lambda index: read_or_say(clips.media, index), range(len(clips)), threads, 4 * max(1, threads))
    ) as read:
        found = list(read)
    rows, decoded, problems = told_apart(clips.name, found)
    media = MemoryMedia(reading=clips.media.reading, decoded=decoded)
    notes = gathered(note for one in decoded for note in one.notes)
    kept = clips.take(np.array(rows, dtype=np.int64))
    return replace(kept, media=media, notes=(*clips.notes, *notes)), tuple(problems)
