"""A draw of the stimuli of ``affekt compare-humans``: so many of those that people and every model have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from affekt.cli.compared_named import Named
    from affekt.humans.comparison.model import People

    Ids = NDArray[np.str_]


def draw(
    people: People, shown: Callable[[Ids], Ids], models: Sequence[Named], *, limit: int | None, seed: int
) -> tuple[People, int | None]:
    """People's answers to so many stimuli, single ones drawn by the seed, and how many; None where all are taken.

    Drawn from what every model has, so that a table of a few answers is not missed.

    Args:
        shown: of these ids, those of which there is a picture; asked where a network is to see them.
        limit: so many at most. None: all; where every model gives features alone, as many as are looked at of these.

    Raises:
        DataError: a model has nothing in common with people.
    """
    from affekt.humans.comparison.restricting import restricted
    from affekt.humans.comparison.structure import MOST, drawn

    of_features = all(model.answers is None and model.found is None for model in models)
    most = MOST if limit is None and of_features else limit
    if most is None or len(people) <= most:
        return people, None
    common = _common(people, shown, models)
    if len(common) <= most:
        return people, None
    # By the stream of the features' draw: of features alone the same stimuli are compared, with a draw and without.
    rows = common[drawn(len(common), seed, most)]
    return restricted(people, people.ids[rows].tolist()), most


def _common(people: People, shown: Callable[[Ids], Ids], models: Sequence[Named]) -> NDArray[np.int64]:
    """``(M,)`` people's stimuli that every table has, and of which there are pictures if a network is to see them."""
    from affekt.humans.people import join

    rows = np.arange(len(people))
    tables = {m.name: m.answers or next(iter(m.features.values())) for m in models if m.precomputed}
    if tables:
        rows = join(people, tables).people
    if len(tables) < len(models):
        rows = rows[np.isin(people.ids[rows], shown(people.ids))]
    return rows
