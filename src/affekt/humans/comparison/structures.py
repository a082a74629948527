"""Structures: what people's answers say of how stimuli differ: ratings, votes and categories, pooled and of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.comparison.single_people import Single, single_answers, single_ratings
from affekt.humans.people import Ratings, Trials, Votes
from affekt.humans.representations import category_features, category_rdm, rating_rdm, vote_rdm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strings = NDArray[np.str_]

CONTENT = "theme_category"
"""The fact that says what a rated picture shows."""

POOLED = "people are pooled (votes, without who gave them)"
"""Why votes have no noise ceiling."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What people's answers say of how stimuli differ.

    Attributes:
        name: for files, ``[a-z-]``.
        title: for people.
        features: ``(N, E)`` or ``(N,)`` for CKA.
        rdm: ``(N (N - 1) / 2,)``, of people pooled.
        groups: ``(N,)`` stimuli that are drawn as a whole.
        single: those of single people; None where they are not to be had.
        why: why they are not; empty where they are.
    """

    name: str
    title: str
    features: Floats
    rdm: Floats
    groups: Strings
    single: Single | None
    why: str

    @property
    def one_group(self) -> bool:
        """Whether nothing follows about stimuli of other groups."""
        return len(np.unique(self.groups)) < 2


def structures_of(people: Ratings | Votes | Trials, rows: Ints, votes: Ints | None) -> list[Structure]:
    """Those whose dissimilarities are not all equal."""
    found = [*_of_numbers(people, rows), *_of_votes(people, rows, votes), *_of_categories(people, rows, votes)]
    return [structure for structure in found if np.ptp(structure.rdm) > 0]


def _of_numbers(people: Ratings | Votes | Trials, rows: Ints) -> Iterator[Structure]:
    if not isinstance(people, Ratings):
        return
    table = np.stack([values[rows] for values in people.means.values()], axis=1)
    if np.isfinite(table).all():
        single, why = _or_why(lambda: single_ratings(people, rows))
        yield Structure(
            name="ratings",
            title=f"ratings ({', '.join(people.means)})",
            features=table,
            rdm=rating_rdm(table),
            groups=people.groups[rows],
            single=single,
            why=why,
        )


def _of_votes(people: Ratings | Votes | Trials, rows: Ints, votes: Ints | None) -> Iterator[Structure]:
    if votes is None or not votes.any(axis=1).all():
        return
    single, why = None, POOLED
    if isinstance(people, Trials):
        single, why = _or_why(lambda: single_answers(people, rows))
    yield Structure(
        name="votes",
        title="votes",
        features=votes / votes.sum(axis=1, keepdims=True),
        rdm=vote_rdm(votes),
        groups=people.groups[rows],
        single=single,
        why=why,
    )


def _or_why(found: Callable[[], Single]) -> tuple[Single | None, str]:
    try:
        return found(), ""
    except DataError as error:
        return None, str(error)


def _of_categories(people: Ratings | Votes | Trials, rows: Ints, votes: Ints | None) -> Iterator[Structure]:
    """Categories of what was chosen or is right; of rated pictures, of what they show: content, not affect."""
    labels: NDArray[np.generic] | None = None
    title, why = "categories", "people are pooled (the category that most chose)"
    if isinstance(people, Ratings):
        labels, title, why = people.facts.get(CONTENT), "what pictures show", "what pictures show is nobody's answer"
        labels = None if labels is None else labels[rows]
    elif isinstance(people, Trials) and (people.truth[rows] != "").all():
        labels, why = people.truth[rows], "the right answers are nobody's own"
    elif votes is not None:
        labels = votes.argmax(axis=1)
    if labels is not None:
        yield Structure(
            name="categories",
            title=title,
            features=category_features(labels),
            rdm=category_rdm(labels),
            groups=people.groups[rows],
            single=None,
            why=why,
        )
