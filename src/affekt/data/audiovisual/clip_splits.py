"""ClipSplits: the clips of each split, and the file that records which clip stood where."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from affekt.data.audiovisual.clips import Clips
from affekt.data.disk import whole
from affekt.data.split_record import split_hash
from affekt.data.stimuli import SPLITS
from affekt.errors import DataError, UsageError, first


@dataclass(frozen=True, kw_only=True)
class ClipSplits:
    """The clips of each split; a split that was not asked for (share 0) is absent.

    Attributes:
        parts: ``"train"``, ``"validation"``, ``"test"`` -> clips, in the order of the set.
        notes: what the log says once: how it was cut, what leaks, what was dropped or is missing.
        missing: rows whose file was missing (``allow_missing``).
    """

    parts: Mapping[str, Clips]
    notes: tuple[str, ...] = ()
    missing: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", MappingProxyType(dict(self.parts)))

    def __getitem__(self, split: str) -> Clips:
        if split not in self.parts:
            name = next(iter(self.parts.values())).name
            share = f"; `{split}` is the share that is cut for it" if split in SPLITS[1:] else ""
            raise UsageError(f"{name}: no {split} split; it has {', '.join(self.parts)}{share}")
        return self.parts[split]

    @property
    def train(self) -> Clips:
        return self["train"]

    @property
    def validation(self) -> Clips:
        return self["validation"]

    @property
    def test(self) -> Clips:
        return self["test"]

    @property
    def ids(self) -> dict[str, list[str]]:
        """Split -> the ids of its clips."""
        return {name: part.ids.tolist() for name, part in self.parts.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, as those of picture sets: ids by split, counts, notes, and a hash of the ids."""
        return {
            "format": 1,
            "name": self.train.name,
            "hash": split_hash(self.ids),
            "counts": {name: len(part) for name, part in self.parts.items()},
            "missing": self.missing,
            "notes": list(self.notes),
            "splits": self.ids,
        }

    def write(self, path: Path | str) -> None:
        """Write ``split.json``, whole or not at all; :func:`~affekt.data.splits.read_split` reads it."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n"
        with whole(Path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")


def apply_split(clips: Clips, ids: Mapping[str, Sequence[str]]) -> ClipSplits:
    """The splits that a file names, over the same clips read again.

    Raises:
        DataError: ids that the set does not have; how many, and the first.
    """
    row = {name: i for i, name in enumerate(clips.ids.tolist())}
    lost = [i for members in ids.values() for i in members if i not in row]
    if lost:
        raise DataError(f"{clips.name}: {len(lost)} clip(s) of the split file are not in the set: {first(lost)}")
    rows = {name: np.array([row[i] for i in members], dtype=np.int64) for name, members in ids.items()}
    parts = {name: replace(clips.take(chosen), split=None) for name, chosen in rows.items() if len(chosen)}
    return ClipSplits(parts=parts, notes=(*clips.notes, f"{clips.name}: split read from a file"), missing=clips.missing)
