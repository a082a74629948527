"""Long tables, one row a rater and picture, made wide: mean, standard deviation and number of ratings, and votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affekt.data.affective.columns import Columns
from affekt.data.affective.table_labels import categories_of, emotions_of, rating
from affekt.data.affective.table_roles import Roles
from affekt.data.affective.votes import check_votes
from affekt.data.stimuli import Ints
from affekt.errors import DataError, first


def aggregate(columns: Columns, roles: Roles) -> tuple[Columns, Roles]:
    """One row a picture, in the order in which they first occur; cells of ratings and votes are numbers as text.

    Raises:
        DataError: a rater who rated a picture twice, a group or split that differs between the rows of one picture, or
            what a cell cannot be.
    """
    pictures = columns.text(roles.path)
    names = list(dict.fromkeys(pictures))
    place = {name: number for number, name in enumerate(names)}
    picture = np.array([place[name] for name in pictures], dtype=np.int64)
    _check_once(columns, roles, pictures)
    firsts = np.unique(picture, return_index=True)[1]
    values = {roles.path: names}
    for header in (roles.group, roles.split, *roles.extra):
        if header:
            values[header] = _constant(columns, header, picture, firsts)
    ratings, ratings_roles = _ratings(columns, roles, picture, len(names))
    votes, votes_roles = _votes(columns, roles, picture, len(names))
    lines = [columns.lines[row] for row in firsts]
    raters = len(set(columns.text(roles.rater)))
    note = f"{len(columns)} rows of {raters} raters make {len(names)} pictures"
    wide = Columns(
        name=columns.name,
        values=values | ratings | votes,
        lines=lines,
        notes=(*columns.notes, f"{columns.name}: {note}"),
    )
    of = ratings_roles
    return wide, replace(roles, emotion="", votes=votes_roles, ratings=of["ratings"], sd=of["sd"], n=of["n"])


def _check_once(columns: Columns, roles: Roles, pictures: Sequence[str]) -> None:
    seen: dict[tuple[str, str], int] = {}
    twice = []
    for rater, picture, line in zip(columns.text(roles.rater), pictures, columns.lines, strict=True):
        if seen.setdefault((rater, picture), line) != line:
            twice.append(f"{rater} of {picture}, line {line}")
    if twice:
        raise DataError(f"{columns.name}: {len(twice)} row(s) repeat a rater's picture: {first(twice)}; keep one each")


def _constant(columns: Columns, header: str, picture: Ints, firsts: NDArray[np.intp]) -> list[str]:
    """The cell of each picture, the same in all its rows."""
    cells = np.array(columns.text(header))
    values = cells[firsts]
    differing = np.flatnonzero(cells != values[picture])
    if len(differing):
        row = int(differing[0])
        raise DataError(
            f'{columns.name}: column "{header}": "{cells[row]}" in line {columns.lines[row]}, but '
            f'"{values[picture[row]]}" in an earlier row of the same picture; write one'
        )
    return [str(value) for value in values]


def _ratings(
    columns: Columns, roles: Roles, picture: Ints, n: int
) -> tuple[dict[str, list[str]], dict[str, dict[str, str]]]:
    """Columns of mean, sd (of n - 1; empty for one rater) and n, and their headers by dimension."""
    values: dict[str, list[str]] = {}
    headers: dict[str, dict[str, str]] = {"ratings": {}, "sd": {}, "n": {}}
    for dimension in roles.ratings:
        cells = rating(columns, roles, dimension)
        mean, sd, count = _moments(cells, picture, n)
        for kind, numbers in (("ratings", mean), ("sd", sd), ("n", count)):
            header = f"{dimension} {kind}"
            values[header] = list(map(repr, numbers.tolist()))
            headers[kind][dimension] = header
    return values, headers


def _moments(
    cells: NDArray[np.float64], picture: Ints, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """``(n,)`` mean, standard deviation and number of the cells of each picture, without those that are NaN."""
    given = ~np.isnan(cells)
    which, numbers = picture[given], cells[given]
    count = np.bincount(which, minlength=n).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(which, weights=numbers, minlength=n) / count
        squares = np.bincount(which, weights=(numbers - mean[which]) ** 2, minlength=n)
        return mean, np.sqrt(squares / np.where(count > 1, count - 1, np.nan)), count


def _votes(columns: Columns, roles: Roles, picture: Ints, n: int) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Columns of votes, summed over raters: of vote columns, else one a rater for the emotion; and their emotions."""
    emotions = emotions_of(columns, roles)
    categories = categories_of(emotions, roles, columns.name)
    if not categories:
        return {}, {}
    votes = np.zeros((n, len(categories)))
    if roles.votes:
        every = np.stack([columns.numbers(header) for header in roles.votes], axis=-1)
        each = check_votes(every, columns)
        for column, emotion in enumerate(roles.votes.values()):
            votes[:, categories.index(emotion)] = np.bincount(picture, weights=each[:, column], minlength=n)
    else:
        for emotion in categories:
            chosen = picture[[felt == emotion for felt in emotions]]
            votes[:, categories.index(emotion)] = np.bincount(chosen, minlength=n)
    # A picture that nobody voted on has empty cells: it is not an error, and no category.
    cells = {
        f"votes {name}": [repr(x) if total else "" for x, total in zip(votes[:, k].tolist(), votes.sum(1), strict=True)]
        for k, name in enumerate(categories)
    }
    return cells, {f"votes {name}": name for name in categories}
