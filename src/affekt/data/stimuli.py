"""Stimuli: pictures with ids, groups and labels, however they are stored; what readers return and loaders eat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "validation", "test")

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
Strings = NDArray[np.str_]


class Pictures(Protocol):
    """Where pixels come from: memory, files, a pack."""

    def __len__(self) -> int: ...

    def read(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8, RGB, all of one size."""
        ...

    def take(self, indices: Ints) -> Pictures:
        """The pictures at ``indices``; shares what can be shared, copies no pixels."""
        ...


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What is known of N stimuli, as arrays; every field may be absent.

    Attributes:
        categories: the K names that ``category`` and ``votes`` refer to (emotions, or the classes of a target).
        category: ``(N,)`` int64 index into ``categories``; -1 where there is none (a tie, an unlabelled item).
        votes: ``(N, K)`` float32, non-negative: numbers or shares of people. Zero rows: not voted on.
        ratings: dimension -> ``(N,)`` float32 in units of ``scale``; NaN where not rated.
        rating_sd: dimension -> ``(N,)`` standard deviation over people.
        rating_n: dimension -> ``(N,)`` number of people.
        scale: the scale of ``ratings``.
        extra: further label columns of N entries (a scene, a theme category), by name: strings or numbers.
    """

    categories: tuple[str, ...] = ()
    category: Ints | None = None
    votes: Floats32 | None = None
    ratings: Mapping[str, Floats32] = field(default_factory=dict)
    rating_sd: Mapping[str, Floats32] = field(default_factory=dict)
    rating_n: Mapping[str, Floats32] = field(default_factory=dict)
    scale: RatingScale | None = None
    extra: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    def take(self, indices: Ints) -> Labels:
        """The labels at ``indices``."""
        return replace(
            self,
            category=None if self.category is None else self.category[indices],
            votes=None if self.votes is None else self.votes[indices],
            ratings={k: v[indices] for k, v in self.ratings.items()},
            rating_sd={k: v[indices] for k, v in self.rating_sd.items()},
            rating_n={k: v[indices] for k, v in self.rating_n.items()},
            extra={k: v[indices] for k, v in self.extra.items()},
        )

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Every array by a readable name, for checks of length and for exports."""
        found: dict[str, NDArray[np.generic]] = {}
        if self.category is not None:
            found["category"] = self.category
        if self.votes is not None:
            found["votes"] = self.votes
        for prefix, group in (
            ("", self.ratings),
            ("sd of ", self.rating_sd),
            ("n of ", self.rating_n),
            ("", self.extra),
        ):
            found |= {f"{prefix}{name}": values for name, values in group.items()}
        return found


@dataclass(frozen=True, kw_only=True)
class Stimuli:
    """N pictures with what is known of them.

    Attributes:
        name: the data set, for messages.
        ids: ``(N,)`` strings, unique: the picture's name in its set (not a path of this machine).
        pictures: where the pixels come from.
        labels: what people (or the set) say of them.
        groups: ``(N,)`` strings: items of one identity (theme, emoji, source picture, person) share a group and never
            stand in two splits.
        split: ``(N,)`` ``"train"``, ``"validation"`` or ``"test"`` where the set fixes its splits; ``""`` for items it
            leaves free; None where it fixes none.
        notes: what the log says once about how this was read ("3 of 900 files missing, left out").
        missing: the number of rows whose file was missing (``allow_missing``); results state it.
    """

    name: str
    ids: Strings
    pictures: Pictures
    labels: Labels
    groups: Strings
    split: Strings | None = None
    notes: tuple[str, ...] = ()
    missing: int = 0

    noun: ClassVar[str] = "picture"
    """What messages call one of them."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        if n == 0:
            raise DataError(f"{self.name}: no stimuli found")
        lengths = {"pictures": len(self.pictures), "groups": len(self.groups)}
        lengths |= {name: len(values) for name, values in self.labels.columns().items()}
        if self.split is not None:
            lengths["split"] = len(self.split)
        wrong = {name: length for name, length in lengths.items() if length != n}
        if wrong:
            raise DataError(f"{self.name}: {n} ids, but {', '.join(f'{v} {k}' for k, v in wrong.items())}")
        if len(np.unique(self.ids)) != n:
            raise DataError(f"{self.name}: ids are not unique")

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, indices: Ints) -> Tensor:
        """``(B, 3, H, W)`` uint8 RGB pictures at ``indices``."""
        return self.pictures.read(indices)

    def take(self, indices: Ints) -> Stimuli:
        """The stimuli at ``indices``, in that order."""
        return replace(
            self,
            ids=self.ids[indices],
            pictures=self.pictures.take(indices),
            labels=self.labels.take(indices),
            groups=self.groups[indices],
            split=None if self.split is None else self.split[indices],
        )
