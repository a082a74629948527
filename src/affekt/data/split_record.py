"""Splits: the pictures or clips of each split, and the file that records which one stood where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from affekt.data.disk import whole
from affekt.data.stimuli import SPLITS, Stimuli
from affekt.errors import DataError, UsageError, first

if TYPE_CHECKING:
    from affekt.data.audiovisual.clips import Clips

Part = TypeVar("Part", Stimuli, "Clips")


@dataclass(frozen=True, kw_only=True)
class Splits(Generic[Part]):
    """The stimuli of each split; a split that was not asked for (share 0) is absent.

    Attributes:
        parts: ``"train"``, ``"validation"``, ``"test"`` -> stimuli (or clips), in the order of the set.
        notes: what the log says once: how it was cut, what leaks, what was dropped or is missing.
        missing: rows whose file was missing (``allow_missing``).
    """

    parts: Mapping[str, Part]
    notes: tuple[str, ...] = ()
    missing: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", MappingProxyType(dict(self.parts)))

    def __getitem__(self, split: str) -> Part:
        if split not in self.parts:
            name = next(iter(self.parts.values())).name
            share = f"; `{split}` is the share that is cut for it" if split in SPLITS[1:] else ""
            raise UsageError(f"{name}: no {split} split; it has {', '.join(self.parts)}{share}")
        return self.parts[split]

    def __contains__(self, split: object) -> bool:
        return split in self.parts

    @property
    def train(self) -> Part:
        return self["train"]

    @property
    def validation(self) -> Part:
        return self["validation"]

    @property
    def test(self) -> Part:
        return self["test"]

    @property
    def ids(self) -> dict[str, list[str]]:
        """Split -> the ids of its items."""
        return {name: part.ids.tolist() for name, part in self.parts.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists: ids by split, counts, notes, and a hash of the ids."""
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
        """Write ``split.json``, whole or not at all."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n"
        with whole(Path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")


def split_hash(ids: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 over the ids of each split, in any order of theirs."""
    text = json.dumps({name: sorted(members) for name, members in ids.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_split(path: Path | str) -> dict[str, list[str]]:
    """Split -> ids from a file that :meth:`Splits.write` wrote.

    Raises:
        DataError: missing, no such file of ours, or altered.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        ids, expected = found["splits"], found["hash"]
        ids = {str(name): [str(i) for i in members] for name, members in ids.items()}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{path}: not a split file") from None
    if split_hash(ids) != expected:
        raise DataError(f"{path}: altered since it was written (its ids do not give its hash)")
    return ids


def apply_split(stimuli: Part, ids: Mapping[str, Sequence[str]]) -> Splits[Part]:
    """The splits that a file names, over the same stimuli (or clips) read again.

    Raises:
        DataError: ids that the set does not have; how many, and the first.
    """
    row = {name: i for i, name in enumerate(stimuli.ids.tolist())}
    lost = [i for members in ids.values() for i in members if i not in row]
    if lost:
        raise DataError(
            f"{stimuli.name}: {len(lost)} {stimuli.noun}(s) of the split file are not in the set: {first(lost)}"
        )
    rows = {name: np.array([row[i] for i in members], dtype=np.int64) for name, members in ids.items()}
    parts = {name: replace(stimuli.take(chosen), split=None) for name, chosen in rows.items() if len(chosen)}
    return Splits(
        parts=parts, notes=(*stimuli.notes, f"{stimuli.name}: split read from a file"), missing=stimuli.missing
    )
