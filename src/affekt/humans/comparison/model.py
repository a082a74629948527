"""A model to be compared, and who it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from affekt.errors import UsageError
from affekt.humans.people import Answers, Features, Ratings, Trials, Votes

People: TypeAlias = Ratings | Votes | Trials


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model to be compared: what it answers, its features, or both, of the same stimuli in the same order.

    Attributes:
        name: unique.
        layers: features of further layers, from input to output; a name each.
        precomputed: whether these are numbers of a file, of which nobody knows what one is a unit of.
        notes: what a reader must know of it, in sentences.
    """

    name: str
    answers: Answers | None = None
    features: Features | None = None
    layers: Mapping[str, Features] = field(default_factory=dict)
    precomputed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> Answers | Features:
        """What it is joined by.

        Raises:
            UsageError: it has neither.
        """
        known = self.answers or self.features or next(iter(self.layers.values()), None)
        if known is None:
            raise UsageError(f"{self.name}: neither answers nor features")
        return known
