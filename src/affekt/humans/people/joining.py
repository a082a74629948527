"""Joining: people and models meet on the ids of stimuli, and what either side has alone is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from affekt.humans.people.known import Ints


@dataclass(frozen=True, kw_only=True)
class Left:
    """Stimuli that one side has and the other lacks: how many, and the first five."""

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Joined:
    """M stimuli that people and every model have answered, in people's order.

    Attributes:
        people: ``(M,)`` indices into people's ids.
        models: model -> ``(M,)`` indices into its ids.
        total: people's stimuli, N.
        unseen: model -> stimuli of people that it lacks.
        unseen_by_all: stimuli of people that no model has.
        unrated: model -> stimuli of it that people lack, or that people saw intact and it did not.
    """

    people: Ints
    models: Mapping[str, Ints]
    total: int
    unseen: Mapping[str, Left]
    unseen_by_all: Left
    unrated: Mapping[str, Left]
