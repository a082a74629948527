"""What is looked at in trials before anything is computed from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from affekt.errors import DataError, first
from affekt.humans.people.known import Strings, Trials
from affekt.humans.people.naming import Named

_SLOW = 60.0
"""Seconds: a median response time above is taken for milliseconds."""


def constant_by_stimulus(cells: Sequence[str], named: Named, what: str) -> Strings:
    """``(N,)`` the cell of each stimulus, which must be the same in all its trials; ``cells`` is ``(T,)``.

    Raises:
        DataError: a stimulus with two of them.
    """
    values = np.array(cells, dtype=np.str_)
    chosen = values[named.rows]
    differing = np.flatnonzero(values != chosen[named.which])
    if len(differing):
        row = int(differing[0])
        of = named.ids[np.unique(named.which[differing])]
        raise DataError(
            f'{len(of)} stimuli with more than one {what}: {first(of)} ("{chosen[named.which[row]]}" and '
            f'"{values[row]}"); a stimulus has one {what}'
        )
    return chosen


def check_answers(name: str, responses: Sequence[str], truth: Strings) -> tuple[Strings, tuple[str, ...]]:
    """``(T,)`` responses in the spelling of the categories, and notes.

    Raises:
        DataError: no answer at all, or none that is a category.
    """
    given = np.array(responses, dtype=np.str_)
    if not (given != "").any():
        raise DataError(
            f"{name}: none of its {len(given)} trials has an answer; it is the plan of an experiment, which fills "
            "object_response and rt"
        )
    categories = np.unique(truth[truth != ""]).tolist()
    spelling = {category.lower(): category for category in categories}
    spelled = np.array([spelling.get(answer.lower(), answer) for answer in given.tolist()], dtype=np.str_)
    strange = sorted(set(spelled.tolist()) - set(categories) - {""})
    if categories and len(strange) == len(set(spelled.tolist()) - {""}):
        raise DataError(
            f"{name}: no answer is one of the categories: answers {first(strange)}; categories {first(categories)}; "
            "write both in the same words"
        )
    notes = []
    if (changed := int((spelled != given).sum())) > 0:
        notes.append(f"{changed} answers differ from a category in upper and lower case only, and are taken for it")
    if categories and strange:
        times = int(np.isin(spelled, strange).sum())
        notes.append(f"{times} answers are no category that occurs ({first(strange)}) and count as wrong")
    return spelled, tuple(notes)


def notes_on(trials: Trials) -> tuple[str, ...]:
    """What a reader of results should know of these trials."""
    rows = trials.trials
    categories = np.unique(trials.truth[trials.truth != ""])
    found = [f"{len(rows)} trials of {len(trials.subjects)} subjects on {len(trials)} stimuli"]
    if len(categories) == 1:
        found.append(
            f'all stimuli are of one category, "{categories[0]}": who answers nothing else is always right: accuracy '
            "and error consistency cannot tell skill from habit"
        )
    if (without := int((trials.truth == "").sum())) > 0:
        found.append(f"{without} stimuli have no right answer: no answer to them is right or wrong")
    if (silent := int((rows.response == "").sum())) > 0:
        found.append(f"{silent} trials without an answer are left out, not counted as wrong")
    shown = {*zip(rows.subject.tolist(), rows.stimulus.tolist(), strict=True)}
    if len(shown) < len(rows):
        found.append(f"{len(rows) - len(shown)} trials show a subject a stimulus again: the first answer is compared")
    found += _constant(trials)
    timed = rows.rt[np.isfinite(rows.rt)]
    if len(timed) and np.median(timed) > _SLOW:
        found.append(f"response times have a median of {np.median(timed):g}; seconds are asked, these look like more")
    return tuple(found)


def _constant(trials: Trials) -> list[str]:
    """Subjects with one answer to everything, among several answers of others or several categories."""
    rows, found = trials.trials, []
    several = len(np.unique(trials.truth[trials.truth != ""])) != 1
    for subject in trials.subjects:
        answers = rows.response[(rows.subject == subject) & (rows.response != "")]
        if several and len(answers) > 1 and len(np.unique(answers)) == 1:
            found.append(f'{subject} ("{answers[0]}")')
    if not found:
        return []
    return [f"{len(found)} subject(s) gave one answer to everything: {first(found)}"]
