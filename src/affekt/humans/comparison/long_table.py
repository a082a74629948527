"""The long table of a comparison: every answer of people and models, in people's terms, for a mixed model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from affekt.errors import DataError
from affekt.humans.comparison.categories import canonical, fold, folded_probabilities, shared_terms
from affekt.humans.comparison.chosen import categories_of
from affekt.humans.comparison.comparing import Comparison
from affekt.humans.people import Answers, Ratings, Votes, long_rows

Row: TypeAlias = dict[str, object]


def answer_rows(found: Comparison) -> tuple[Iterator[Row], list[str]]:
    """Rows as :func:`~affekt.humans.people.long_rows` makes them, and notes on models that are left out.

    Raises:
        DataError: no model answers in people's terms.
    """
    notes: list[str] = []
    answers: dict[str, Answers] = {}
    for model in found.models:
        own = None if model.answers is None else _in_terms(found, replace(model.answers, name=model.name))
        if own is None:
            notes.append(f"{model.name} is not in the long table: it does not answer in people's terms")
        else:
            answers[model.name] = own
    if not answers:
        raise DataError("--table: no model answers in people's terms, so that there is no row of any")
    joined = replace(found.joined, models={name: found.joined.models[name] for name in answers})
    return long_rows(found.people, answers, joined), notes


def _in_terms(found: Comparison, answers: Answers) -> Answers | None:
    """The answers in people's own words; None where they cannot be put so."""
    people = found.people
    if isinstance(people, Ratings):
        return answers if set(answers.ratings) & set(people.means) else None
    theirs = people.categories if isinstance(people, Votes) else categories_of(people)
    space = shared_terms(theirs, answers.categories) if answers.probabilities is not None else None
    if space is None or answers.probabilities is None or not set(space) <= set(canonical(theirs)):
        return None
    table = fold(answers.categories, space)
    assert table is not None
    words = dict(zip(canonical(theirs), theirs, strict=True))
    return replace(
        answers,
        categories=tuple(words[name] for name in space),
        probabilities=np.asarray(folded_probabilities(answers.probabilities, table)[0]),
    )
