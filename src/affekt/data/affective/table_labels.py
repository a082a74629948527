"""Labels out of a wide table: one row a picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from affekt.affect import majority
from affekt.data.affective.columns import Columns, parse_number
from affekt.data.affective.emotions import canonical, in_order
from affekt.data.affective.table_roles import Roles
from affekt.data.affective.votes import check_votes
from affekt.data.stimuli import Floats32, Ints, Labels
from affekt.errors import DataError


def labels_of(columns: Columns, roles: Roles) -> Labels:
    """The labels of N rows. The category is that of the ``emotion`` column, else the one with most votes.

    Raises:
        DataError: what a cell cannot be; with its line.
    """
    emotions = emotions_of(columns, roles)
    categories = categories_of(emotions, roles, columns.name)
    votes = _votes(columns, roles, categories)
    return Labels(
        categories=categories,
        category=_category(emotions, votes, categories),
        votes=votes,
        ratings={name: rating(columns, roles, name).astype(np.float32) for name in roles.ratings},
        rating_sd=_single(positive(columns, roles.sd)),
        rating_n=_single(positive(columns, roles.n)),
        scale=roles.scale,
        extra={header: _free(columns.text(header)) for header in roles.extra},
    )


def unlabelled(labels: Labels, total: int, name: str) -> tuple[str, ...]:
    """A note for each kind of label that some pictures lack: losses and metrics of that kind leave them out."""
    absent = {dimension: int(np.isnan(values).sum()) for dimension, values in labels.ratings.items()}
    if labels.category is not None:
        # A tie of votes has no category either, but it has votes.
        voted = np.zeros(len(labels.category), dtype=bool) if labels.votes is None else labels.votes.sum(axis=1) > 0
        absent["emotion"] = int(((labels.category < 0) & ~voted).sum())
        absent["first place among their votes, and so no category"] = int(((labels.category < 0) & voted).sum())
    return tuple(f"{name}: {n} of {total} pictures have no {kind}" for kind, n in absent.items() if n)


def emotions_of(columns: Columns, roles: Roles) -> list[str]:
    """The canonical emotion of each row, ``""`` where the cell is empty; no rows without such a column.

    Raises:
        DataError: a word that is no emotion, with its line.
    """
    if not roles.emotion:
        return []
    cells = columns.text(roles.emotion)
    known: dict[str, str] = {"": ""}
    for cell, line in zip(cells, columns.lines, strict=True):
        if cell not in known:
            known[cell] = canonical(cell, f"{columns.name}: line {line}", roles.aliases)
    return [known[cell] for cell in cells]


def categories_of(emotions: list[str], roles: Roles, name: str) -> tuple[str, ...]:
    """The emotions of the set, in the user's order or in that of :func:`in_order`.

    Raises:
        DataError: one occurs that the user's list lacks.
    """
    found = {emotion for emotion in emotions if emotion} | set(roles.votes.values())
    if not roles.categories:
        return in_order(found)
    lacking = sorted(found - set(roles.categories))
    if lacking:
        raise DataError(
            f"{name}: {', '.join(lacking)} occur(s), but option categories lists {', '.join(roles.categories)}"
        )
    return roles.categories


def rating(columns: Columns, roles: Roles, dimension: str) -> NDArray[np.float64]:
    """``(N,)`` ratings of one dimension, NaN where a cell is empty.

    Raises:
        DataError: outside the scale.
    """
    assert roles.scale is not None
    header = roles.ratings[dimension]
    what = f'{columns.name}: column "{header}"'
    return roles.scale.check(columns.numbers(header), what)


def _votes(columns: Columns, roles: Roles, categories: tuple[str, ...]) -> Floats32 | None:
    if not roles.votes:
        return None
    every = np.full((len(columns), len(categories)), np.nan)
    for header, emotion in roles.votes.items():
        every[:, categories.index(emotion)] = columns.numbers(header)
    return check_votes(every, columns)


def _category(emotions: list[str], votes: Floats32 | None, categories: tuple[str, ...]) -> Ints | None:
    if emotions:
        return np.array([categories.index(name) if name else -1 for name in emotions], dtype=np.int64)
    return None if votes is None else majority(votes)


def _single(numbers: Mapping[str, NDArray[np.float64]]) -> dict[str, Floats32]:
    return {name: values.astype(np.float32) for name, values in numbers.items()}


def positive(columns: Columns, headers: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
    """Dimension -> ``(N,)`` numbers of its column, NaN where a cell is empty.

    Raises:
        DataError: numbers below zero: how many, and the first line.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for dimension, header in headers.items():
        values = columns.numbers(header)
        if (values < 0).any():
            line = columns.lines[int(np.flatnonzero(values < 0)[0])]
            raise DataError(
                f'{columns.name}: column "{header}": {(values < 0).sum()} number(s) below zero (line {line})'
            )
        found[dimension] = values
    return found


def _free(cells: list[str]) -> NDArray[np.generic]:
    """Numbers where all cells are numbers or empty, else text."""
    numbers = [parse_number(cell) for cell in cells]
    if any(number is None for number in numbers) or not any(cells):
        return np.array(cells)
    return np.array(numbers, dtype=np.float32)
