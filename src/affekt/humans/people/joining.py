"""Joining: people and models meet on the ids of stimuli, and what either side has alone is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from affekt.errors import DataError, UsageError, first
from affekt.humans.people.answers import Answers, Features
from affekt.humans.people.known import Ints, People, Strings, Trials
from affekt.humans.people.naming import is_intact


@dataclass(frozen=True, kw_only=True)
class Left:
    """Stimuli that one side has and the other lacks: how many, and the first five."""

    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.count} ({first(self.examples, total=self.count)})" if self.count else "0"


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

    def __len__(self) -> int:
        return len(self.people)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left on either side, in sentences; nothing where all is joined."""
        unseen = [
            f"{name} has no answer to {left} of people's {self.total} stimuli" for name, left in _some(self.unseen)
        ]
        unrated = [f"people have no answer to {left} of the stimuli of {name}" for name, left in _some(self.unrated)]
        return (*unseen, *unrated)


def _some(left: Mapping[str, Left]) -> list[tuple[str, Left]]:
    return [(name, stimuli) for name, stimuli in left.items() if stimuli.count]


def join(people: People | Strings, models: Mapping[str, Answers | Features]) -> Joined:
    """Stimuli that people and all models have in common.

    An id is the same text. Where both sides have conditions they must be the same, too. People without conditions
    (ratings, votes, observers from votes) judged *intact* stimuli: of a model's answers to manipulated ones only those
    under a condition called "intact", "none", "original" or "" are joined.

    Args:
        people: or ``(N,)`` their ids alone.
        models: name -> answers or features.

    Raises:
        UsageError: no model.
        DataError: nothing in common with a model, with three ids of each side; nothing in common to all.
    """
    if not models:
        raise UsageError("join: no models; answers of at least one are asked")
    ids = people.ids if isinstance(people, People) else people
    found = {name: _places(people, ids, name, answers) for name, answers in models.items()}
    places = np.stack([place for place, _ in found.values()])
    common = np.flatnonzero((places >= 0).all(axis=0))
    if not len(common):
        each = ", ".join(f"{name} {int((place >= 0).sum())}" for name, (place, _) in found.items())
        raise DataError(f"no stimulus was answered by people and by every model; in common with people: {each}")
    return Joined(
        people=common,
        models={name: place[common] for name, (place, _) in found.items()},
        total=len(ids),
        unseen={name: _left(ids[place < 0]) for name, (place, _) in found.items()},
        unseen_by_all=_left(ids[(places < 0).all(axis=0)]),
        unrated={name: _left(models[name].ids[alone]) for name, (_, alone) in found.items()},
    )


def _left(ids: Strings) -> Left:
    return Left(count=len(ids), examples=tuple(ids[:5].tolist()))


def _places(people: People | Strings, ids: Strings, name: str, model: Answers | Features) -> tuple[Ints, Ints]:
    """``(N,)`` the place of each of people's stimuli in the model, -1 for none; and the model's that people lack."""
    own = people.conditions if isinstance(people, Trials) else None
    theirs = model.conditions if isinstance(model, Answers) else None
    if own is None and theirs is not None and not is_intact(theirs).any():
        raise DataError(
            f"{name}: answers to manipulated stimuli only ({first(np.unique(theirs))}), which people have not judged: "
            'give trials of people on these stimuli, or answers with condition = "intact"'
        )
    asked, there = _keys(ids, None if theirs is None else own), _keys(model.ids, theirs)
    place = {key: n for n, key in enumerate(there)}
    found = np.array([place.get(key, -1) for key in asked], dtype=np.int64)
    if (found < 0).all():
        raise _nothing(people, ids, name, model.ids, _conditions(own, theirs) or _by_stem(asked, there))
    return found, np.setdiff1d(np.arange(len(model.ids)), found)


def _keys(ids: Strings, conditions: Strings | None) -> list[tuple[str, str]]:
    """Id without its condition, and condition, ``""`` for one that says intact. Without conditions, the id alone."""
    if conditions is None:
        return [(name, "") for name in ids.tolist()]
    intact = is_intact(conditions)
    pairs = zip(ids.tolist(), conditions.tolist(), intact, strict=True)
    return [(name.removeprefix(f"{c}/") if c else name, "" if plain else c.strip().lower()) for name, c, plain in pairs]


def _nothing(people: People | Strings, ids: Strings, name: str, theirs: Strings, hint: str) -> DataError:
    """What to say where nothing is in common: three ids of each side, and why, or what would make them meet."""
    advice = f" {people.advice}." if isinstance(people, People) and people.advice else ""
    return DataError(
        f"{name}: no stimulus in common with people. Its ids: {first(theirs.tolist(), n=3)}; people's: "
        f"{first(ids.tolist(), n=3)}.{hint}{advice}"
    )


def _conditions(people: Strings | None, model: Strings | None) -> str:
    """What to say where both sides have conditions, and none in common; else empty."""
    if people is None or model is None:
        return ""
    own, theirs = _named(model), _named(people)
    if set(own) & set(theirs):
        return ""
    return (
        f" No condition is in common, so that no id can meet: its are {first(own)}; people's {first(theirs)}. Give "
        "people's trials under its conditions, or answers under people's."
    )


def _named(conditions: Strings) -> list[str]:
    """Each once, in the spelling in which they meet."""
    pairs = zip(conditions.tolist(), is_intact(conditions), strict=True)
    return list(dict.fromkeys("intact" if plain else condition.strip().lower() for condition, plain in pairs))


def _by_stem(people: Sequence[tuple[str, str]], model: Sequence[tuple[str, str]]) -> str:
    """How many stimuli of the model would meet, under their conditions, by file name alone; empty for none."""
    stems = {(PurePosixPath(one).stem, condition) for one, condition in people}
    alike = sum((PurePosixPath(one).stem, condition) in stems for one, condition in model)
    return (
        f" By file name without folder and ending {alike} would meet: write one side's ids as the other's."
        if alike
        else ""
    )
