"""The long table of a comparison: every answer of people and models, in people's terms, for a mixed model.

Where no model has people's own terms but people chose emotions and models valence, both are put in terms of valence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from affekt.affect import POLARITIES
from affekt.errors import DataError
from affekt.humans.comparison.categories import canonical, fold_model, folded_probabilities, shared_terms, spaces
from affekt.humans.comparison.chosen import categories_of
from affekt.humans.comparison.comparing import Comparison
from affekt.humans.comparison.valence_of_people import valence_trials, valence_votes
from affekt.humans.people import Answers, Ratings, Trials, Votes, join, long_rows

Row: TypeAlias = dict[str, object]


def answer_rows(found: Comparison) -> tuple[Iterator[Row], list[str]]:
    """Rows as :func:`~affekt.humans.people.long_rows` makes them, and notes on models that are left out.

    Raises:
        DataError: no model answers in people's terms.
    """
    people = found.people
    given = {m.name: replace(m.answers, name=m.name) for m in found.models if m.answers is not None}
    notes: list[str] = []
    answers = _those_in_terms(people, given)
    if not answers and not isinstance(people, Ratings):
        people, notes = _in_valence(people, given)
        answers = _those_in_terms(people, given)
    if not answers:
        raise DataError("--table: no model answers in people's terms, so that there is no row of any")
    notes += [
        f"{model.name} is not in the long table: it does not answer in people's terms"
        for model in found.models
        if model.name not in answers
    ]
    return long_rows(people, answers, join(people, answers)), notes


def _in_valence(people: Votes | Trials, models: Mapping[str, Answers]) -> tuple[Votes | Trials, list[str]]:
    """People's choices in the classes of valence that most models have, and a note; as they are where none has."""
    theirs = _categories(people)
    found = spaces(theirs, {name: one.categories for name, one in models.items() if one.categories})
    signs = [space for space in found if set(space.categories) <= set(POLARITIES)]
    if not signs:
        return people, []
    space = max(signs, key=lambda one: len(one.models)).categories
    folded = valence_votes(people, space) if isinstance(people, Votes) else valence_trials(people, space)
    left = len(people) - len(folded)
    return folded, [
        f"the long table is in terms of valence ({', '.join(space)}): what else people chose is left out"
        + (f", and {left:,} stimul{'us' if left == 1 else 'i'} for which nobody chose one of these" if left else "")
    ]


def _those_in_terms(people: Ratings | Votes | Trials, models: Mapping[str, Answers]) -> dict[str, Answers]:
    found = {name: _in_terms(people, answers) for name, answers in models.items()}
    return {name: answers for name, answers in found.items() if answers is not None}


def _categories(people: Votes | Trials) -> tuple[str, ...]:
    return people.categories if isinstance(people, Votes) else categories_of(people)


def _in_terms(people: Ratings | Votes | Trials, answers: Answers) -> Answers | None:
    """The answers in people's own words; None where they cannot be put so."""
    if isinstance(people, Ratings):
        return answers if set(answers.ratings) & set(people.means) else None
    theirs = _categories(people)
    space = shared_terms(theirs, answers.categories) if answers.probabilities is not None else None
    if space is None or answers.probabilities is None or not set(space) <= set(canonical(theirs)):
        return None
    table = fold_model(answers.categories, space)
    assert table is not None
    words = dict(zip(canonical(theirs), theirs, strict=True))
    return replace(
        answers,
        categories=tuple(words[name] for name in space),
        probabilities=np.asarray(folded_probabilities(answers.probabilities, table)[0]),
    )
