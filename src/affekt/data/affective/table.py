"""A table of your own: csv or parquet, a picture a row with what people said of it (IAPS, NAPS, GAPED, your study)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from affekt.affect import DIMENSIONS
from affekt.data.affective.columns import Columns, read_columns, split_names
from affekt.data.affective.files import check_unique, present
from affekt.data.affective.raters import aggregate
from affekt.data.affective.table_labels import labels_of, unlabelled
from affekt.data.affective.table_roles import Roles, find_roles
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Ints, Stimuli
from affekt.errors import DataError, first
from affekt.recipe import DataSettings

_TABLES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq"})


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A table before its pictures are looked for: one row a picture.

    Attributes:
        columns, roles: of it; of a long table, aggregated.
        ids, written, paths: of N pictures: their ids, what the table calls them, where they should be.
        groups: of N pictures.
        single: columns and roles of a long table, one row a rater and picture; None for a wide one.
        pictures: ``(rows,)`` which of the N pictures each row, as it is written, is of.
    """

    columns: Columns
    roles: Roles
    ids: list[str]
    written: list[str]
    paths: list[Path]
    groups: list[str]
    single: tuple[Columns, Roles] | None

    @property
    def pictures(self) -> Ints:
        if self.single is None:
            return np.arange(len(self.ids))
        columns, roles = self.single
        place = {name: number for number, name in enumerate(self.written)}
        return np.array([place[name] for name in columns.text(roles.path)], dtype=np.int64)


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All pictures of a table, wide (a row a picture) or long (a row a rater and picture, with a ``rater`` column).

    Long tables are aggregated: mean, standard deviation and number of ratings, and votes. Pictures are looked for
    relative to the table's folder (or option ``pictures``). Groups and splits come from columns of those names.

    Args:
        root: the table, or a folder with one table.

    Raises:
        DataError: a picture missing, and as :func:`read_rows`.
        UsageError: as :func:`read_rows`.
    """
    rows = read_rows(root, settings)
    columns, roles = rows.columns, rows.roles
    found = present("table", rows.paths, rows.written, settings)
    labels = labels_of(columns, roles).take(found.rows)
    paths = [rows.paths[row] for row in found.rows]
    return Stimuli(
        name="table",
        ids=np.array(rows.ids)[found.rows],
        pictures=FilePictures(paths, image_size=settings.image_size, fit=settings.fit),
        labels=labels,
        groups=np.array(rows.groups)[found.rows],
        split=np.array(split_names(columns, roles.split))[found.rows] if roles.split else None,
        notes=(
            roles.describe(columns),
            *columns.notes,
            *found.notes,
            *unlabelled(labels, len(found.rows), columns.name),
        ),
        missing=found.missing,
    )


def read_rows(root: Path, settings: DataSettings) -> Rows:
    """The table, whose pictures need not be there.

    Raises:
        DataError: no or several tables, a column missing, a picture twice, a cell that is no number, no emotion or no
            split, a rating outside its scale, votes that sum to zero.
        UsageError: ratings without a scale, options that cannot be.
    """
    path = _table(root, option(settings, "file", str, ""))
    columns = read_columns(
        path, delimiter=option(settings, "delimiter", str, ""), encoding=option(settings, "encoding", str, "")
    )
    if not len(columns):
        raise DataError(f"{path.name}: no rows under its header")
    roles, single = find_roles(columns, settings), None
    if roles.rater:
        single = columns, roles
        columns, roles = aggregate(columns, roles)
    written = columns.text(roles.path)
    empty = [line for line, cell in zip(columns.lines, written, strict=True) if not cell]
    if empty:
        raise DataError(
            f'{columns.name}: {len(empty)} row(s) name no picture in column "{roles.path}" (line {first(empty)})'
        )
    paths = _paths(written, path.parent / Path(option(settings, "pictures", str, "")).expanduser())
    ids = _ids(paths, path.parent)
    check_unique(columns.name, ids, f'one row a picture, or a "{roles.rater or "rater"}" column')
    groups = _groups(columns, roles, ids)
    return Rows(columns=columns, roles=roles, ids=ids, written=written, paths=paths, groups=groups, single=single)


def _table(root: Path, file: str) -> Path:
    """
    Raises:
        DataError: there is none, or more than one to choose from.
    """
    if root.is_file():
        return root
    if file:
        return root / file
    found = sorted(entry.name for entry in os.scandir(root) if Path(entry.name).suffix.lower() in _TABLES)
    found = [name for name in found if not name.startswith(".")]
    if len(found) != 1:
        what = f"several: {first(found)}" if found else "no .csv, .tsv, .txt or .parquet"
        raise DataError(f'table: {root} holds {what}; name the table: options.file = "ratings.csv"')
    return root / found[0]


def _paths(written: Sequence[str], base: Path) -> list[Path]:
    """Absolute paths as they are, others below ``base``; a Windows table's backslashes are read."""
    slashed = [cell.replace("\\", "/") if "/" not in cell else cell for cell in written]
    # normpath, so that "./a.jpg" and "a.jpg" are one picture; it asks nothing of the file system.
    return [Path(os.path.normpath(base / cell)) for cell in slashed]


def _ids(paths: Sequence[Path], base: Path) -> list[str]:
    """Each picture's path below the table's folder; where one lies elsewhere, below the folder common to all."""
    texts, base = [str(path) for path in paths], Path(os.path.normpath(base))
    common = base if all(base in path.parents for path in paths) else Path(os.path.commonpath(texts))
    common = common.parent if common in paths else common
    return [PurePosixPath(os.path.relpath(text, common)).as_posix() for text in texts]


def _groups(columns: Columns, roles: Roles, ids: list[str]) -> list[str]:
    """The group column; a picture without one is a group of its own."""
    if not roles.group:
        return ids
    return [group or name for group, name in zip(columns.text(roles.group), ids, strict=True)]


_RATING_OPTIONS = {
    name + suffix: f'column of {what}; default: "{name}{suffix}"'
    for name in DIMENSIONS
    for suffix, what in (("", name), ("_sd", f"the standard deviation of {name}"), ("_n", f"the raters of {name}"))
}

DATASET = Dataset(
    name="table",
    title="A table of your own: csv or parquet with pictures and any of emotion, votes, valence, arousal, dominance",
    kind="affective",
    licence="that of the pictures in it",
    show_pictures=False,
    citation="Cite whoever made them.",
    homepage="your own",
    labels=("any of category, votes, valence, arousal, dominance",),
    layout="one .csv, .tsv or .parquet (or root = the table itself); pictures relative to it or absolute",
    options={
        "file": "the table's name; default: the only one in the folder",
        "pictures": "folder that the paths are relative to; default: the table's",
        "delimiter": "between cells; default: found among , ; tab |",
        "encoding": "of the table; default: UTF-8, else Windows-1252",
        "path": 'column of the picture; default: "path", "image", "file", "filename" or "picture"',
        "emotion": 'column of the emotion; default: "emotion"',
        "votes": 'columns of votes as a list ["laughing=amusement"], or "none"; default: those called like an emotion',
        "aliases": 'other words for emotions as a list ["joyful=happiness"]; default: none',
        "categories": "the emotions in order, as a list; default: those that occur",
        "scale": 'scale of the ratings, e.g. "1-9", "-4..4"; no default where there are ratings',
        "group": 'column of the identity that stays in one split; default: "group"',
        "split": 'column with train, validation, test; default: "split"',
        "rater": 'column of the person, one row each; default: "rater"',
        "extra": "further columns to keep, as a list; default: none",
        **_RATING_OPTIONS,
    },
    read=read,
)
