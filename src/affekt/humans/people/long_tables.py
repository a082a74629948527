"""Long tables: what people and models answered as one table, a row an answer, for programs of mixed models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from affekt.errors import DataError, UsageError
from affekt.humans.agreement.tables import TRIAL_COLUMNS, Row, rating_rows, trial_rows
from affekt.humans.people.answers import Answers
from affekt.humans.people.joining import Joined
from affekt.humans.people.known import Observers, People, Ratings, Strings, Trials, Votes

Column = Sequence[object]


def long_rows(people: People, models: Mapping[str, Answers], joined: Joined) -> Iterator[Row]:
    """A row an answer to the stimuli that people and models share; all rows have the same columns.

    ==============  ====================================================================================================
    people          columns after ``stimulus``, ``kind``, ``observer``
    ==============  ====================================================================================================
    trials          ``category``, ``response``, ``correct``, ``condition``, ``session``, ``trial``, ``rt``
    observers       ``category``, ``response``, ``correct``; ``kind`` is ``simulated``
    votes           the same and ``weight``: how many people gave this response
    ratings         ``rating``, ``dimension``; without single ratings the observer ``mean``, with ``sd`` and ``n``
    ==============  ====================================================================================================

    Ratings of models are on people's scale. ``group`` and what else is known of the stimuli follow. ``correct`` is
    empty where there is no right answer.

    Raises:
        UsageError: a model of ``joined`` without answers, a person and a model of one name.
        DataError: a model that answers in other terms (ratings where people gave categories, say).
    """
    lacking = [name for name in joined.models if name not in models]
    if lacking:
        raise UsageError(f"long_rows: no answers of {', '.join(lacking)}; give those that were joined")
    if isinstance(people, Ratings):
        return _rating_rows(people, models, joined)
    if isinstance(people, Trials):
        return _trial_rows(people, models, joined)
    if isinstance(people, Observers):
        return _observer_rows(people, models, joined)
    if isinstance(people, Votes):
        return _vote_rows(people, models, joined)
    raise UsageError(f"long_rows: {type(people).__name__}; ratings, votes, trials or observers are asked")


def _facts(people: People, joined: Joined) -> dict[str, Column]:
    """``group`` and the facts of the joined stimuli, under names that no column has."""
    facts: dict[str, Column] = {"group": people.groups[joined.people].tolist()}
    taken = {*TRIAL_COLUMNS, "group", "rating", "dimension", "weight", "condition", "session", "trial", "rt", "sd", "n"}
    for name, values in people.facts.items():
        facts[f"stimulus_{name}" if name in taken else name] = values[joined.people].tolist()
    return facts


def _answered(models: Mapping[str, Answers], joined: Joined) -> dict[str, list[str]]:
    return {name: models[name].responses[place].tolist() for name, place in joined.models.items()}


def _given(responses: Strings) -> list[str | None]:
    return [response or None for response in responses.tolist()]


def _judged(row: Row) -> Row:
    """No answer is right or wrong where nothing is right."""
    return row if row["category"] else {**row, "correct": None}


def _observer_rows(people: Observers, models: Mapping[str, Answers], joined: Joined) -> Iterator[Row]:
    responses = {name: _given(values[joined.people]) for name, values in people.responses.items()}
    ids, truth = people.ids[joined.people].tolist(), people.truth[joined.people].tolist()
    rows = trial_rows(ids, truth, people=responses, models=_answered(models, joined), facts=_facts(people, joined))
    return ({**_judged(row), "kind": "simulated" if row["kind"] == "person" else row["kind"]} for row in rows)


def _vote_rows(people: Votes, models: Mapping[str, Answers], joined: Joined) -> Iterator[Row]:
    ids, truth = people.ids[joined.people].tolist(), people.right[joined.people].tolist()
    votes = people.votes[joined.people]
    facts = _facts(people, joined)
    for k, category in enumerate(people.categories):
        chosen: list[str | None] = [category if n else None for n in votes[:, k].tolist()]
        weights: dict[str, Column] = {"weight": votes[:, k].tolist()}
        yield from map(_judged, trial_rows(ids, truth, people={"votes": chosen}, models={}, facts=weights | facts))
    one: dict[str, Column] = {"weight": [1] * len(ids)}
    models_rows = trial_rows(ids, truth, people={}, models=_answered(models, joined), facts=one | facts)
    yield from map(_judged, models_rows)


def _trial_rows(people: Trials, models: Mapping[str, Answers], joined: Joined) -> Iterator[Row]:
    """Every trial with an answer, repetitions too; then the models' answers, which have no session, trial and time."""
    ids, truth = people.ids[joined.people].tolist(), people.truth[joined.people].tolist()
    shown: dict[str, Column] = {"condition": people.conditions[joined.people].tolist()}
    facts = _facts(people, joined)
    models_rows = trial_rows(ids, truth, people={}, models=_answered(models, joined), facts=shown | facts)
    _different_names(people.subjects, joined)
    place = np.full(len(people), -1)
    place[joined.people] = np.arange(len(joined))
    trials = people.trials
    for t in np.flatnonzero((trials.response != "") & (place[trials.stimulus] >= 0)).tolist():
        i, response = int(place[trials.stimulus[t]]), str(trials.response[t])
        values = (ids[i], "person", str(trials.subject[t]), truth[i], response, int(response == truth[i]))
        rt = None if np.isnan(trials.rt[t]) else float(trials.rt[t])
        when = {"session": str(trials.session[t]), "trial": str(trials.trial[t]), "rt": rt}
        known = {name: column[i] for name, column in facts.items()}
        yield _judged(
            {**dict(zip(TRIAL_COLUMNS, values, strict=True)), "condition": shown["condition"][i], **when, **known}
        )
    for row in models_rows:
        when = {"session": "", "trial": "", "rt": None}
        start = {name: row[name] for name in (*TRIAL_COLUMNS, "condition")}
        yield _judged({**start, **when, **{name: row[name] for name in facts}})


def _different_names(subjects: Iterable[str], joined: Joined) -> None:
    both = [name for name in subjects if name in joined.models]
    if both:
        raise UsageError(f'"{both[0]}" is the name of a person and of a model; a mixed model needs one name for each')


def _rating_rows(people: Ratings, models: Mapping[str, Answers], joined: Joined) -> Iterator[Row]:
    for name in joined.models:
        if not set(people.means) & set(models[name].ratings):
            rated = ", ".join(models[name].ratings) or "nothing"
            raise DataError(f"{name} rates {rated}; people rated {', '.join(people.means)}")
    ids, facts = people.ids[joined.people].tolist(), _facts(people, joined)
    for dimension, means in people.means.items():
        shared: dict[str, Column] = {"dimension": [dimension] * len(ids), **_spread(people, joined, dimension), **facts}
        single = people.raters.get(dimension)
        raters: dict[str, Any] = {"mean": means[joined.people]}
        if single is not None:
            raters = {name: row[joined.people] for name, row in zip(people.rater_names, single, strict=True)}
        rated_by = _rated(people, models, joined, dimension)
        yield from rating_rows(ids, people=raters, models=rated_by, facts=shared)


def _rated(people: Ratings, models: Mapping[str, Answers], joined: Joined, dimension: str) -> dict[str, Any]:
    """Models' ratings on people's scale; as they are where theirs is not known."""
    found = {}
    for name, place in joined.models.items():
        own, values = models[name].scale, models[name].ratings.get(dimension)
        if values is not None:
            found[name] = (values if own is None else own.convert(values, people.scale))[place]
    return found


def _spread(people: Ratings, joined: Joined, dimension: str) -> dict[str, Column]:
    """``sd`` and ``n`` of people's ratings where only their mean is known."""
    known = {} if people.raters else {"sd": people.sds, "n": people.counts}
    missing = np.full(len(people), np.nan)
    return {name: of.get(dimension, missing)[joined.people].tolist() for name, of in known.items() if of}
