"""What any model answers, and its features, however they were computed: by picture, beside its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.errors import DataError
from affekt.humans.people.known import Floats, Strings, check_ids


class NoAnswers(DataError):  # noqa: N818 - reads as what it is
    """A file without a column or an array of answers; it may hold features."""


class NoFeatures(DataError):  # noqa: N818 - reads as what it is
    """A file without a column or an array of features."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A model's answers to N stimuli: probabilities, ratings, or both.

    Attributes:
        name: of the model.
        ids: ``(N,)`` unique.
        categories: K names; empty without probabilities.
        probabilities: ``(N, K)``, rows sum to 1; None without.
        ratings: dimension -> ``(N,)``; may be empty.
        scale: of the ratings; None where it is not known.
        conditions: ``(N,)`` the manipulation of each stimulus; None: all are intact.
        notes: what was left out or guessed, in sentences.
    """

    name: str
    ids: Strings
    categories: tuple[str, ...] = ()
    probabilities: Floats | None = None
    ratings: Mapping[str, Floats] = field(default_factory=dict)
    scale: RatingScale | None = None
    conditions: Strings | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_ids(self.name, self.ids, self._lengths())
        if self.probabilities is None and not self.ratings:
            raise DataError(f"{self.name}: neither probabilities nor ratings; give at least one")
        if self.probabilities is not None and self.probabilities.shape[1] != len(self.categories):
            wide = self.probabilities.shape[1]
            raise DataError(f"{self.name}: {wide} probabilities a stimulus for {len(self.categories)} categories")

    def __len__(self) -> int:
        return len(self.ids)

    def _lengths(self) -> Iterator[tuple[str, int]]:
        if self.probabilities is not None:
            yield "rows of probabilities", len(self.probabilities)
        yield from ((f"ratings of {name}", len(values)) for name, values in self.ratings.items())
        if self.conditions is not None:
            yield "conditions", len(self.conditions)

    @property
    def responses(self) -> Strings:
        """``(N,)`` the category with the largest probability, of equal ones the first.

        Raises:
            DataError: there are no probabilities.
        """
        if self.probabilities is None:
            raise DataError(f"{self.name}: ratings without categories; probabilities are asked")
        return np.asarray(np.array(self.categories)[self.probabilities.argmax(axis=1)])

    @property
    def constant(self) -> tuple[str, ...]:
        """A sentence for each kind of answer that is the same for all stimuli: nothing correlates with it."""
        found = []
        if self.probabilities is not None and len(self) > 1 and len(np.unique(self.responses)) == 1:
            found.append(f'{self.name} answers "{self.responses[0]}" to everything')
        for dimension, values in self.ratings.items():
            if len(values) > 1 and np.ptp(values) == 0:
                found.append(f"{self.name} gives everything the {dimension} {values[0]:g}; nothing correlates with it")
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Features:
    """A model's features of N stimuli, for representational similarity.

    Attributes:
        name: of the model, and of the layer.
        ids: ``(N,)`` unique.
        features: ``(N, D)`` finite, in the precision in which they were given.
        notes: what was left out or guessed, in sentences.
    """

    name: str
    ids: Strings
    features: NDArray[np.floating[Any]]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_ids(self.name, self.ids, [("rows of features", len(self.features))])

    def __len__(self) -> int:
        return len(self.ids)
