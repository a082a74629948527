"""Clips: stretches of sound and pictures with ids, speakers and labels, however they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.data.stimuli import Floats32, Ints, Strings
from affekt.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    from affekt.data.audiovisual.reading import Reading

__all__ = ["ClassLabels", "Clips", "Decoded", "Floats32", "Ints", "Media", "Pixels", "Strings"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What is read of one clip; absent is what was not asked for. T is the number of frames of its timeline.

    Attributes:
        audio: ``(T * rate / fps,)`` float32 mono in [-1, 1], zeros after the end of the sound.
        log_mel: ``(M, n)`` float32, natural logarithm of the power in n mel bands.
        faces: ``(T, 3, S, S)`` uint8 RGB.
        notes: what is out of the ordinary about it, a line each; the clip is usable all the same.
    """

    audio: Floats32 | None = None
    log_mel: Floats32 | None = None
    faces: Pixels | None = None
    notes: tuple[str, ...] = ()


class Media(Protocol):
    """Where sound and pictures come from: files, a pack."""

    @property
    def reading(self) -> Reading:
        """How they are decoded."""
        ...

    def __len__(self) -> int: ...

    def read(self, index: int) -> Decoded:
        """
        Raises:
            DataError: the clip cannot be read, in one line that names it.
        """
        ...

    def take(self, indices: Ints) -> Media:
        """The clips at ``indices``; copies no sound."""
        ...


@dataclass(frozen=True, kw_only=True)
class ClassLabels:
    """One task: the classes that N clips belong to.

    Attributes:
        classes: the K names.
        index: ``(N,)`` int64 into ``classes``; -1 where it is not known.
    """

    classes: tuple[str, ...]
    index: Ints

    def take(self, indices: Ints) -> ClassLabels:
        return replace(self, index=self.index[indices])

    def counts(self) -> dict[str, int]:
        """Class -> number of clips."""
        found = np.bincount(self.index[self.index >= 0], minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True)
class Clips:
    """N clips with what is known of them.

    Attributes:
        name: the data set, for messages.
        ids: ``(N,)`` strings, unique: the clip's name in its set; a window's ends in ``@start-end`` in seconds.
        media: where sound and pictures come from.
        labels: task -> its classes, for any number of tasks.
        groups: ``(N,)`` strings: the speaker, who never stands in two splits.
        ratings: dimension -> ``(N,)`` float32 in units of ``scale``; NaN where not rated.
        scale: of the ratings.
        split: ``(N,)`` ``"train"``, ``"validation"`` or ``"test"`` where the set fixes its splits; ``""`` for clips it
            leaves free; None where it fixes none.
        columns: further arrays of N entries by name: ``session``, ``text``, ``start``, ``end`` ...
        notes: what the log says once about how this was read.
        missing: the number of rows whose file was missing (``allow_missing``).
        dropped: why -> how many clips were left out (an emotion that nobody asked for).
        composed: of films that are composed, the sets that sound and faces are of; ``""``: they are recordings.
    """

    name: str
    ids: Strings
    media: Media
    labels: Mapping[str, ClassLabels]
    groups: Strings
    ratings: Mapping[str, Floats32] = field(default_factory=dict)
    scale: RatingScale | None = None
    split: Strings | None = None
    columns: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    composed: str = ""

    noun: ClassVar[str] = "clip"
    """What messages call one of them."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        if n == 0:
            raise DataError(f"{self.name}: no clips found")
        wrong = {name: length for name, length in self._lengths().items() if length != n}
        if wrong:
            raise DataError(f"{self.name}: {n} ids, but {', '.join(f'{v} {k}' for k, v in wrong.items())}")
        if len(np.unique(self.ids)) != n:
            raise DataError(f"{self.name}: ids are not unique")

    def _lengths(self) -> dict[str, int]:
        lengths = {"media": len(self.media), "groups": len(self.groups)}
        lengths |= {name: len(found.index) for name, found in self.labels.items()}
        lengths |= {name: len(values) for name, values in (*self.ratings.items(), *self.columns.items())}
        return lengths if self.split is None else lengths | {"split": len(self.split)}

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, index: int) -> Decoded:
        """Sound and pictures of one clip.

        Raises:
            DataError: it cannot be read, in one line that names it.
        """
        return self.media.read(index)

    def task(self, name: str) -> ClassLabels:
        """The labels of one task.

        Raises:
            UsageError: these clips have no such task.
        """
        if name not in self.labels:
            raise UsageError(unknown(f"{self.name}: task", name, self.labels))
        return self.labels[name]

    def take(self, indices: Ints) -> Clips:
        """The clips at ``indices``, in that order."""
        return replace(
            self,
            ids=self.ids[indices],
            media=self.media.take(indices),
            labels={name: found.take(indices) for name, found in self.labels.items()},
            groups=self.groups[indices],
            ratings={name: values[indices] for name, values in self.ratings.items()},
            split=None if self.split is None else self.split[indices],
            columns={name: values[indices] for name, values in self.columns.items()},
        )
