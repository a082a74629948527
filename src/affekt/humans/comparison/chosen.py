"""Chosen: what people chose for each stimulus in the terms of one space, from votes or from single trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affekt.affect import POLARITIES, majority
from affekt.humans.comparison.categories import canonical, fold, places
from affekt.humans.people import Trials, Votes, simulated_observers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strings = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """People's choices among S categories.

    Attributes:
        categories: S names.
        ids, groups: ``(M,)``.
        votes: ``(M, S)`` how many chose each; rows of zeros where nobody chose one of them.
        truth: ``(M,)`` index of the right answer, -1 without.
        observers: name -> ``(M,)`` index of the answer, -1 without, -2 for a category that is none of these.
        conditions: ``(M,)``.
        confused: ``(M, S)`` the votes that confusion matrices count: those that do not say what is right.
        simulated: one sentence where the observers are simulated; else empty.
        intended: whether the right answer was not taken from people's own choices.
        elsewhere: share of people's votes for categories that are none of these.
    """

    categories: tuple[str, ...]
    ids: Strings
    groups: Strings
    votes: Ints
    truth: Ints
    observers: Mapping[str, Ints]
    conditions: Strings
    confused: Ints
    simulated: str = ""
    intended: bool = True
    elsewhere: float = 0.0

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> Chosen:
        """The stimuli at ``rows``."""
        return replace(
            self,
            ids=self.ids[rows],
            groups=self.groups[rows],
            votes=self.votes[rows],
            truth=self.truth[rows],
            observers={name: answers[rows] for name, answers in self.observers.items()},
            conditions=self.conditions[rows],
            confused=self.confused[rows],
        )


def of_votes(people: Votes, rows: Ints, space: tuple[str, ...], *, seed: int) -> Chosen:
    """Votes; observers are simulated from one half of them, and what is right is said by the other half where nothing
    else says it."""
    table = _table(people.categories, space)
    counts = people.votes[rows]
    votes = (counts @ table).astype(np.int64)
    voted = np.flatnonzero(votes.any(axis=1))
    kept = rows[voted]
    folded = Votes(
        name=people.name,
        ids=people.ids[kept],
        groups=people.groups[kept],
        categories=space,
        votes=votes[voted],
    )
    drawn = simulated_observers(folded, seed=seed)
    observers = {name: _index(answers, space) for name, answers in drawn.responses.items()}
    intended = people.truth is not None
    truth = _index(drawn.truth, space)
    if people.truth is not None:
        place = np.array([*places(people.categories, space), -1])
        truth = place[people.truth[kept]]
    return Chosen(
        categories=space,
        ids=folded.ids,
        groups=folded.groups,
        votes=folded.votes,
        truth=truth,
        observers=observers,
        conditions=np.full(len(kept), ""),
        confused=folded.votes if intended else _counted(observers, len(kept), len(space)),
        simulated=_intended(len(observers), seed) if intended else drawn.said,
        intended=intended,
        elsewhere=float(1 - votes.sum() / max(1, counts.sum())),
    )


def _intended(observers: int, seed: int) -> str:
    """What is said of observers where the right answer is known without them."""
    return (
        f"{observers} simulated observers, drawn from one half of the votes on each stimulus (seed {seed}); the right "
        "answer is the intended category. They share nothing but the difficulty of a stimulus: how much they agree is "
        "no human ceiling. Intact stimuli only, as people saw them."
    )


def of_trials(people: Trials, rows: Ints, categories: tuple[str, ...], space: tuple[str, ...]) -> Chosen:
    """Single trials; the right answer is the table's, else the category with most answers.

    Args:
        categories: all that occur as an answer or as the right one.
    """
    # Surprise is neither right nor wrong about valence; "surprise" to a face of fear is wrong.
    outside = -1 if set(space) <= set(POLARITIES) else -2
    place = dict(zip(categories, places(categories, space, elsewhere=outside).tolist(), strict=True))
    responses = {name: answers[rows] for name, answers in people.responses().items()}
    observers = {
        name: np.array([place.get(answer, -1) for answer in answers.tolist()], dtype=np.int64)
        for name, answers in responses.items()
    }
    votes = _counted(observers, len(rows), len(space))
    said = people.truth[rows]
    truth = np.array([max(-1, place.get(name, -1)) for name in said.tolist()], dtype=np.int64)
    intended = bool((said != "").any())
    given = sum(int((answers != "").sum()) for answers in responses.values())
    return Chosen(
        categories=space,
        ids=people.ids[rows],
        groups=people.groups[rows],
        votes=votes,
        truth=truth if intended else np.where(votes.any(axis=1), majority(votes), -1),
        observers=observers,
        conditions=people.conditions[rows],
        confused=votes,
        intended=intended,
        elsewhere=float(1 - votes.sum() / max(1, given)),
    )


def categories_of(people: Trials) -> tuple[str, ...]:
    """Every answer and every right answer that occurs, sorted."""
    found = {*np.unique(people.trials.response).tolist(), *np.unique(people.truth).tolist()} - {""}
    return tuple(sorted(found))


def _table(categories: tuple[str, ...], space: tuple[str, ...]) -> Floats:
    table = fold(categories, space)
    assert table is not None, "a space is one that people's categories fold to"
    return table


def _index(answers: Strings, space: tuple[str, ...]) -> Ints:
    place = {name: k for k, name in enumerate(canonical(space))}
    return np.array([place.get(answer, -1) for answer in answers.tolist()], dtype=np.int64)


def _counted(observers: Mapping[str, Ints], stimuli: int, categories: int) -> Ints:
    votes = np.zeros((stimuli, categories), dtype=np.int64)
    for answers in observers.values():
        given = np.flatnonzero(answers >= 0)
        votes[given, answers[given]] += 1
    return votes
