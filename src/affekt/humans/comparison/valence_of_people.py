"""People's choices among emotions in classes of valence: what a network that answers so is held against, row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affekt.humans.comparison.categories import fold, places
from affekt.humans.comparison.chosen import categories_of
from affekt.humans.comparison.restricting import restricted
from affekt.humans.people import Trials, Votes


def valence_votes(people: Votes, space: tuple[str, ...]) -> Votes:
    """Votes added up by the polarity of their category.

    Args:
        space: S classes of valence.

    Returns:
        The stimuli with a vote for one of the classes. A right answer of no class is none.
    """
    table = fold(people.categories, space)
    assert table is not None, "a space is one that people's categories fold to"
    votes = (people.votes @ table).astype(np.int64)
    voted = votes.any(axis=1)
    kept = restricted(people, people.ids[voted].tolist())
    assert isinstance(kept, Votes)
    place = np.array([*places(people.categories, space), -1])  # -1: nothing is right
    truth = None if people.truth is None else place[people.truth[voted]]
    return replace(kept, categories=space, votes=votes[voted], truth=truth)


def valence_trials(people: Trials, space: tuple[str, ...]) -> Trials:
    """Single trials with the polarity of what was answered, and of what is right.

    Args:
        space: S classes of valence.

    Returns:
        All stimuli; an answer of no class is none.
    """
    rows = people.trials
    words = ("", *categories_of(people))
    sign = dict(zip(words, np.array([*space, ""])[places(words, space)].tolist(), strict=True))

    def signs(answers: NDArray[np.str_]) -> NDArray[np.str_]:
        return np.array([sign[answer] for answer in answers.tolist()], dtype=np.str_)

    return replace(people, truth=signs(people.truth), trials=replace(rows, response=signs(rows.response)))
