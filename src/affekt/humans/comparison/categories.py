"""Categories of people and of models in the same terms: by name where they share them, else added up by polarity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.affect import POLARITIES, canonical_category, polarity
from affekt.errors import UsageError

Floats = NDArray[np.float64]
Names = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Space:
    """Terms that people and some models share.

    Attributes:
        categories: S names, canonical where they are emotions.
        models: whose answers can be put so, in order.
    """

    categories: Names
    models: Names


def spaces(people: Sequence[str], models: Mapping[str, Sequence[str]]) -> list[Space]:
    """All terms in which some model can be held against people, the finest first.

    Each model brings its own: the categories that it shares with people, or valence where one side has classes of
    valence and the other emotions. A model is in every space that its categories can be put in.
    """
    wanted = {own for names in models.values() if (own := shared_terms(people, names)) is not None}
    order = sorted(wanted, key=lambda space: (-len(space), [_place(name, people) for name in space]))
    return [
        Space(categories=space, models=tuple(n for n, names in models.items() if fold_model(names, space) is not None))
        for space in order
    ]


def shared_terms(people: Sequence[str], model: Sequence[str]) -> Names | None:
    """The terms of people and one model; None where they have fewer than two in common.

    A model that is known by one answer to everything is held against all that people can answer: what else it would
    call a stimulus it does not say.
    """
    theirs, own = canonical(people), canonical(model)
    if len(set(own)) == 1:
        return _terms_of_one(theirs, own)
    if _valence(own) != _valence(theirs):
        classes = own if _valence(own) else theirs
        space = tuple(name for name in POLARITIES if name in classes)
        return space if fold(theirs, space) is not None and fold(own, space) is not None else None
    space = tuple(name for name in theirs if name in own)
    return space if len(space) > 1 else None


def _terms_of_one(theirs: Names, own: Names) -> Names | None:
    """People's own terms where the one answer is in them; two classes of valence where they are emotions and it is
    neither."""
    whole = tuple(dict.fromkeys(theirs))
    if fold_model(own, whole) is not None:
        return whole
    signs = ("negative", "positive")
    return signs if own[0] in signs and fold(theirs, signs) is not None else None


def fold(categories: Sequence[str], space: Sequence[str]) -> Floats | None:
    """``(K, S)`` ones where a category counts for a term; None where some term has no category.

    Categories that are in no term count nowhere: surprise in polarity, neutral in two classes of valence.
    """
    table = _table(categories, space)
    return table if len(space) > 1 and table.any(axis=0).all() else None


def fold_model(categories: Sequence[str], space: Sequence[str]) -> Floats | None:
    """:func:`fold` of a model's categories. Of a single one, which it gives to everything, no more is asked than that
    it counts for some term."""
    alone = len(set(canonical(categories))) == 1
    table = _table(categories, space)
    return table if len(space) > 1 and alone and table.any() else fold(categories, space)


def places(categories: Sequence[str], space: Sequence[str], *, elsewhere: int = -1) -> NDArray[np.int64]:
    """``(K,)`` index of the term that each category counts for, as in :func:`fold`; ``elsewhere`` for those of none."""
    table = _table(categories, space)
    return np.where(table.any(axis=1), table.argmax(axis=1), elsewhere)


def _table(categories: Sequence[str], space: Sequence[str]) -> Floats:
    names = canonical(categories)
    if not set(space) <= set(names) and set(space) <= set(POLARITIES):
        names = tuple(sign_of(name) or "" for name in names)
    return np.array([[name == term for term in space] for name in names], dtype=np.float64)


def canonical(categories: Iterable[str]) -> Names:
    """Names of emotions as :mod:`affekt.affect` has them, others in lower case."""
    return tuple(map(_canonical, categories))


def sign_of(category: str) -> str | None:
    """The polarity of an emotion; None for those without one, and for what is no emotion."""
    try:
        return polarity(category)
    except UsageError:
        return None


def folded_probabilities(probabilities: Floats, table: Floats) -> tuple[Floats, float, int]:
    """Probabilities over the terms of a space, rows summing to 1.

    A row that has nothing on any term says nothing about them, and becomes uniform.

    Returns:
        ``(M, S)``; the mean probability that fell on other categories; the number of uniform rows.
    """
    kept = probabilities @ table
    total = kept.sum(axis=1, keepdims=True)
    nothing = total[:, 0] <= 0
    rescaled = np.where(nothing[:, None], 1 / table.shape[1], kept / np.where(total > 0, total, 1.0))
    return rescaled, float(np.mean(1 - np.minimum(total, 1))), int(nothing.sum())


def _valence(names: Names) -> bool:
    return set(names) <= set(POLARITIES)


def _canonical(name: str) -> str:
    try:
        return canonical_category(name)
    except UsageError:
        return name.strip().lower()


def _place(name: str, people: Sequence[str]) -> int:
    names = canonical(people)
    return names.index(name) if name in names else len(names) + POLARITIES.index(name)
