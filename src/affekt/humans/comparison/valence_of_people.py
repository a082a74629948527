"""People's choices among emotions in classes of valence: what a network that answers so is held against, row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from affekt.humans.comparison.categories import sign_of
from affekt.humans.comparison.restricting import restricted
from affekt.humans.people import Trials, Votes


def valence_votes(people: Votes, space: tuple[str, ...]) -> Votes:
    """Votes added up by the polarity of their category.

    Args:
        space: S classes of valence.

    Returns:
        The stimuli with a vote for one of the classes. A right answer of no class is none.
    """
    place = _places(people.categories, space)
    table = (place[:, None] == np.arange(len(space))).astype(np.int64)
    voted = (people.votes @ table).any(axis=1)
    kept = restricted(people, people.ids[voted].tolist())
    assert isinstance(kept, Votes)
    truth = None if kept.truth is None else np.where(kept.truth >= 0, place[kept.truth], -1)
    return replace(kept, categories=space, votes=kept.votes @ table, truth=truth)


def valence_trials(people: Trials, space: tuple[str, ...]) -> Trials:
    """Single trials with the polarity of what was answered, and of what is right.

    Args:
        space: S classes of valence.

    Returns:
        All stimuli; an answer of no class is none.
    """
    rows = people.trials
    words = np.unique([*rows.response.tolist(), *people.truth.tolist()]).tolist()
    place = dict(zip(words, _places(words, space).tolist(), strict=True))
    names = np.array([*space, ""])

    def signs(answers: np.typing.NDArray[np.str_]) -> np.typing.NDArray[np.str_]:
        return names[np.array([place[answer] for answer in answers.tolist()], dtype=np.int64)]

    return replace(people, truth=signs(people.truth), trials=replace(rows, response=signs(rows.response)))


def _places(categories: tuple[str, ...] | list[str], space: tuple[str, ...]) -> np.typing.NDArray[np.int64]:
    """``(K,)`` index of each category's class; -1 for those of none."""
    own = [name if name in space else sign_of(name) for name in categories]
    return np.array([space.index(name) if name in space else -1 for name in own], dtype=np.int64)
