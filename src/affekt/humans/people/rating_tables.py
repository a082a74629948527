"""Ratings and votes of one's own: any table that the reader of affective tables reads, its pictures absent or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from affekt.affect import DIMENSIONS
from affekt.data.affective import table
from affekt.data.affective.table import Rows
from affekt.data.affective.table_labels import labels_of, positive, rating
from affekt.errors import DataError, UsageError, first, unknown
from affekt.humans.people.known import Floats, Ints, Options, Ratings, Votes

OPTIONS: Options = {
    **table.DATASET.options,
    "kind": '"ratings" or "votes" where a table has both; default: ratings',
    "licence": "of the answers, for reports; default: none stated",
}

_KINDS = ("ratings", "votes")


def read_table(path: Path, options: Options) -> Ratings | Votes:
    """Ratings, or votes, of each picture; ids and groups as in ``affekt.data`` with ``name = "table"``.

    A wide table has a row a picture (``valence`` or ``valence_mean``, with ``valence_sd`` and ``valence_n`` where
    known); a long one, with a column ``rater``, a row a rater and picture, and keeps the single ratings. Votes are
    columns called like emotions, or the ``emotion`` column of a long table.

    Raises:
        UsageError: ratings without a scale (option ``scale = "1-9"``), options that cannot be.
        DataError: a column missing, a rating outside its scale, votes that are no counts, neither ratings nor votes.
    """
    kind = str(options.get("kind", ""))
    if kind and kind not in _KINDS:
        raise UsageError(unknown("option kind", kind, _KINDS))
    own = {name: value for name, value in options.items() if name not in ("kind", "licence")}
    rows = table.read_rows(path, table.DATASET.settings(options=own))
    roles = rows.roles
    if not roles.ratings and not roles.votes:
        raise DataError(
            f"{rows.columns.name}: one emotion a picture says what is right, not what people answered; give votes (a "
            f"column an emotion), ratings ({', '.join(DIMENSIONS)}), or a column rater and a row for each person"
        )
    if kind and not getattr(roles, kind):
        raise DataError(f"{rows.columns.name}: has no {kind}. Found: {rows.columns.headers()}")
    licence = str(options.get("licence", ""))
    if kind == "votes" or not roles.ratings:
        return _votes(path.stem, rows, licence)
    also = (f"{rows.columns.name} holds votes, too: read them with option kind = votes",) if roles.votes else ()
    return _ratings(path.stem, rows, licence, also)


def _ratings(name: str, rows: Rows, licence: str, notes: tuple[str, ...]) -> Ratings:
    columns, roles = rows.columns, rows.roles
    means = {dimension: rating(columns, roles, dimension) for dimension in roles.ratings}
    rated = np.flatnonzero(~np.isnan(np.stack(list(means.values()))).all(axis=0))
    if not len(rated):
        raise DataError(f"{columns.name}: no picture has a rating; its columns {', '.join(roles.ratings)} are empty")
    names, raters = _raters(rows)
    assert roles.scale is not None
    found = Ratings(
        name=name,
        licence=licence,
        notes=(*columns.notes, *notes, *_unrated(rows, rated, "rating")),
        ids=np.array(rows.ids)[rated],
        groups=np.array(rows.groups)[rated],
        scale=roles.scale,
        means={dimension: values[rated] for dimension, values in means.items()},
        sds={dimension: values[rated] for dimension, values in positive(columns, roles.sd).items()},
        counts={dimension: values[rated] for dimension, values in positive(columns, roles.n).items()},
        raters={dimension: values[:, rated] for dimension, values in raters.items()},
        rater_names=names,
        facts={header: np.array(columns.text(header))[rated] for header in roles.extra},
    )
    return found.with_notes(*_constant(found))


def _raters(rows: Rows) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """Names of R raters, and dimension -> ``(R, N)`` single ratings; nothing of a wide table."""
    if rows.single is None:
        return (), {}
    columns, roles = rows.single
    names, who = np.unique(columns.text(roles.rater), return_inverse=True)
    found = {}
    for dimension in roles.ratings:
        found[dimension] = np.full((len(names), len(rows.ids)), np.nan)
        found[dimension][who, rows.pictures] = rating(columns, roles, dimension)
    return tuple(names.tolist()), found


def _votes(name: str, rows: Rows, licence: str) -> Votes:
    labels = labels_of(rows.columns, rows.roles)
    assert labels.votes is not None
    votes = labels.votes
    shares = np.flatnonzero((votes != np.floor(votes)).any(axis=1))
    if len(shares):
        lines = first([rows.columns.lines[row] for row in shares[:5]], total=len(shares))
        raise DataError(
            f"{rows.columns.name}: {len(shares)} row(s) with votes that are no whole numbers (line {lines}); counts of "
            "people are asked, not their shares"
        )
    voted = np.flatnonzero(votes.any(axis=1))
    if not len(voted):
        raise DataError(f"{rows.columns.name}: no picture has a vote; the columns of votes are empty")
    return Votes(
        name=name,
        licence=licence,
        notes=(*rows.columns.notes, *_unrated(rows, voted, "vote")),
        ids=np.array(rows.ids)[voted],
        groups=np.array(rows.groups)[voted],
        categories=labels.categories,
        votes=votes[voted].astype(np.int64),
        facts={header: np.array(rows.columns.text(header))[voted] for header in rows.roles.extra},
    )


def _unrated(rows: Rows, kept: Ints, what: str) -> tuple[str, ...]:
    lacking = np.setdiff1d(np.arange(len(rows.ids)), kept)
    if not len(lacking):
        return ()
    return (f"{len(lacking)} pictures without a {what} left out: {first(rows.ids[row] for row in lacking)}",)


def _constant(ratings: Ratings) -> list[str]:
    """Dimensions with one mean for all, and raters with one rating for everything: nothing correlates with them."""
    found = []
    for dimension, means in ratings.means.items():
        known = means[~np.isnan(means)]
        if len(known) > 1 and np.ptp(known) == 0:
            found.append(f"{dimension}: every picture has the mean {known[0]:g}; nothing can correlate with it")
    for dimension, single in ratings.raters.items():
        several = (~np.isnan(single)).sum(axis=1) > 1
        spread = [np.ptp(row[~np.isnan(row)]) if two else 1.0 for row, two in zip(single, several, strict=True)]
        same = [name for name, width in zip(ratings.rater_names, spread, strict=True) if width == 0]
        if same:
            found.append(f"{dimension}: {len(same)} rater(s) gave one rating to everything: {first(same)}")
    return found
