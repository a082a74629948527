"""Single people: each one's own dissimilarities of stimuli, where it is known who answered what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.comparison.categories import canonical
from affekt.humans.people import Ratings, Trials
from affekt.humans.representations import Ceiling, category_rdm, noise_ceiling, rating_rdm
from affekt.report.numbers import counted, listed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEWEST = 4
"""Stimuli that people must have in common; half of all, where that is more."""


@dataclass(frozen=True, kw_only=True)
class Single:
    """R people who have all answered to the same S stimuli.

    Attributes:
        rows: ``(S,)`` of the structure's stimuli.
        rdms: ``(R, S (S - 1) / 2)``.
        ceiling: what they set to the RSA of any model.
        left: who and what is left out, in words; empty where nobody and nothing is.
    """

    rows: Ints
    rdms: Floats
    ceiling: Ceiling
    left: str

    def __len__(self) -> int:
        return len(self.rdms)


def single_ratings(people: Ratings, rows: Ints) -> Single:
    """Of raters: distances of one's own ratings, in all dimensions that people's means have.

    Raises:
        DataError: single people are not known, or too few have enough in common.
    """
    if any(dimension not in people.raters for dimension in people.means):
        raise DataError("people are pooled (means, without single people's ratings)")
    table = np.stack([people.raters[dimension][:, rows] for dimension in people.means], axis=2)
    return _single(np.asarray(np.isfinite(table).all(axis=2)), list(table), rating_rdm)


def single_answers(people: Trials, rows: Ints) -> Single:
    """Of single trials: 0 for two stimuli to which one gave the same answer, 1 for others.

    Raises:
        DataError: too few people have enough in common.
    """
    table = [np.array(canonical(answers[rows].tolist())) for answers in people.responses().values()]
    return _single(np.stack([own != "" for own in table]), table, category_rdm)


def _single(given: Bools, answers: Sequence[NDArray[Any]], rdm_of: Callable[[NDArray[Any]], Floats]) -> Single:
    """
    Args:
        given: ``(R, N)`` who has answered to what.
        answers: of each of the R people, of all N stimuli.
    """
    who, rows = _block(given)
    every = [rdm_of(answers[person][rows]) for person in who]
    rdms = [rdm for rdm in every if np.ptp(rdm) > 0]
    if len(rdms) < 2:
        raise DataError(f"{len(every) - len(rdms)} of {len(every)} people gave one answer to everything")
    table = np.stack(rdms)
    left = _left(apart=len(given) - len(who), same=len(every) - len(rdms), stimuli=given.shape[1] - len(rows))
    return Single(rows=rows, rdms=table, ceiling=noise_ceiling(table), left=left)


def _left(*, apart: int, same: int, stimuli: int) -> str:
    """Of three counts those that are not 0, in words."""
    words = {
        f"{counted(apart, 'person', 'people')} with too little in common": apart,
        f"{counted(same, 'person', 'people')} with one answer to everything": same,
        f"{counted(stimuli, 'stimulus', 'stimuli')} that not all answered": stimuli,
    }
    return listed([word for word, count in words.items() if count])


def _block(given: Bools) -> tuple[Ints, Ints]:
    """The people, those with most answers first, whose common stimuli make most answers, and these stimuli.

    Raises:
        DataError: one person alone, or no two with half of the stimuli in common.
    """
    if len(given) < 2:
        raise DataError("one person alone has answered, and a ceiling takes two")
    order = np.argsort(-given.sum(axis=1), kind="stable")
    common = np.logical_and.accumulate(given[order], axis=0).sum(axis=1)
    people, enough = np.arange(1, len(given) + 1), max(FEWEST, given.shape[1] / 2)
    answers = np.where((people >= 2) & (common >= enough), people * common, 0)
    if not answers.any():
        asked = f"{int(np.ceil(enough))} of {given.shape[1]} stimuli in common"
        raise DataError(f"people are pooled (no two of {len(given)} have {asked})")
    who = np.sort(order[: int(answers.argmax()) + 1])
    return who, np.flatnonzero(given[who].all(axis=0))
