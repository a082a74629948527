"""Restricting: people, and a model's answers or features, to some of their stimuli."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.people import Answers, Features, Ratings, TrialRows, Trials, Votes

Ints = NDArray[np.int64]


def restricted(people: Ratings | Votes | Trials, ids: Collection[str]) -> Ratings | Votes | Trials:
    """People's answers to the stimuli of these ids.

    Raises:
        DataError: they have answered to none of them.
    """
    rows = np.flatnonzero(np.isin(people.ids, list(ids)))
    if not len(rows):
        raise DataError(f"{people.name}: people have answered to none of the {len(ids)} stimuli that are asked")
    own: dict[str, Any] = {"ids": people.ids[rows], "groups": people.groups[rows], "facts": _taken(people.facts, rows)}
    if isinstance(people, Ratings):
        numbers: dict[str, Any] = {
            name: _taken(getattr(people, name), rows) for name in ("means", "sds", "counts", "raters")
        }
        return replace(people, **own, **numbers)
    if isinstance(people, Votes):
        truth = None if people.truth is None else people.truth[rows]
        return replace(people, **own, votes=people.votes[rows], truth=truth)
    trials = _trials(people, rows)
    return replace(people, **own, conditions=people.conditions[rows], truth=people.truth[rows], trials=trials)


def without(answers: Answers, ids: Collection[str]) -> Answers:
    """A model's answers, but for the stimuli of these ids.

    Raises:
        DataError: nothing is left.
    """
    return taken(answers, _left(answers, ids))


def features_without(features: Features, ids: Collection[str]) -> Features:
    """A model's features, but for the stimuli of these ids.

    Raises:
        DataError: nothing is left.
    """
    rows = _left(features, ids)
    return replace(features, ids=features.ids[rows], features=features.features[rows])


def _left(known: Answers | Features, ids: Collection[str]) -> Ints:
    rows = np.flatnonzero(~np.isin(known.ids, list(ids)))
    if not len(rows):
        raise DataError(f"{known.name}: has no stimulus of this split; all of its {len(known.ids)} are of others")
    return rows


def taken(answers: Answers, rows: Ints) -> Answers:
    """The answers at ``rows``, in that order."""
    return replace(
        answers,
        ids=answers.ids[rows],
        probabilities=None if answers.probabilities is None else answers.probabilities[rows],
        ratings=_taken(answers.ratings, rows),
        conditions=None if answers.conditions is None else answers.conditions[rows],
    )


def _taken(columns: Mapping[str, NDArray[Any]], rows: Ints) -> dict[str, NDArray[Any]]:
    """Each column at the rows; the last axis is that of the stimuli."""
    return {name: values[..., rows] for name, values in columns.items()}


def _trials(people: Trials, rows: Ints) -> TrialRows:
    """The trials of these stimuli, which are counted anew."""
    place = np.full(len(people.ids), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    kept = np.flatnonzero(place[people.trials.stimulus] >= 0)
    columns: dict[str, Any] = {name: values[kept] for name, values in vars(people.trials).items()}
    return TrialRows(**{**columns, "stimulus": place[people.trials.stimulus[kept]]})
