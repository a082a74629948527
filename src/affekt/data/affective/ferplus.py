"""FER+: faces of FER-2013, 48 x 48 grey, with ten people's votes each (Barsoum et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.affect import FERPLUS, POLARITIES, majority
from affekt.data.affective.columns import Columns, read_columns
from affekt.data.affective.files import check_unique, pictures_by_stem, present
from affekt.data.affective.votes import check_votes, polarity_votes, whole_numbers
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Floats32, Ints, Labels, Stimuli
from affekt.errors import DataError
from affekt.recipe import DataSettings

_TABLE = "fer2013new.csv"
_UNCLEAR = ("unknown", "NF")
_PLACES = {
    "Training": ("FER2013Train", "train"),
    "PublicTest": ("FER2013Valid", "validation"),
    "PrivateTest": ("FER2013Test", "test"),
}
"""Usage in the table -> (folder, split)."""


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows of the table that have a name, each once; ``usage`` as it says, ``notes`` of what was left out."""

    columns: Columns
    names: list[str]
    usage: list[str]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Faces:
    """The rows whose folder is there, with where each face should be."""

    columns: Columns
    names: list[str]
    paths: list[Path]
    splits: NDArray[np.str_]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FaceVotes:
    """Votes on N faces.

    Attributes:
        categories: K.
        votes: ``(N, K)`` without those for unknown and no face.
        category: ``(N,)`` -1 for a tie and for faces that are unclear.
        unclear: ``(N,)`` mostly unknown or no face.
        ambiguous: ``(N,)`` mostly surprise, which has no polarity.
    """

    categories: tuple[str, ...]
    votes: Floats32
    category: Ints
    unclear: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_]

    def take(self, rows: Ints) -> FaceVotes:
        """The faces at ``rows``."""
        arrays = {name: getattr(self, name)[rows] for name in ("votes", "category", "unclear", "ambiguous")}
        return replace(self, **arrays)


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All faces with the set's own split; each is its own group.

    The category is the one of all ten (eight emotions, unknown, no face) with the most votes. Rows without a name were
    taken out of the set by its authors. A picture may have another suffix than the table says. Without a folder for
    the test faces there is no test split.

    Raises:
        DataError: table or pictures missing, an unknown usage, votes that are no counts or sum to zero.
    """
    valid = option(settings, "valid", str, "validation", choices=("validation", "test"))
    chosen = _places(root, _rows(root))
    if valid == "test":
        chosen = _tested_on_valid(chosen)
    found = present("ferplus", chosen.paths, chosen.names, settings)
    votes = _votes(chosen.columns, settings)
    kept, notes = _clear(votes, found.rows, settings)
    ids = _ids(chosen.names)[kept]
    labels = Labels(categories=votes.categories, category=votes.category, votes=votes.votes)
    return Stimuli(
        name="ferplus",
        ids=ids,
        pictures=FilePictures([chosen.paths[r] for r in kept], image_size=settings.image_size, fit=settings.fit),
        labels=labels.take(kept),
        groups=ids,
        split=chosen.splits[kept],
        notes=(*chosen.notes, *found.notes, *notes),
        missing=found.missing,
    )


def read_votes(root: Path, settings: DataSettings) -> tuple[NDArray[np.str_], FaceVotes, tuple[str, ...]]:
    """Ids, votes and notes by the same options, of all faces of the table: their pictures need not be there.

    Raises:
        DataError: no table, an unknown usage, votes that are no counts or sum to zero.
    """
    rows = _rows(root)
    votes = _votes(rows.columns, settings)
    kept, notes = _clear(votes, np.arange(len(rows.names)), settings)
    return _ids(rows.names)[kept], votes.take(kept), (*rows.notes, *notes)


def _ids(names: list[str]) -> NDArray[np.str_]:
    return np.array([Path(name).stem for name in names])


def _rows(root: Path) -> _Rows:
    columns = read_columns(root / _TABLE)
    usage = columns.text(columns.require("Usage"))
    strange = sorted(set(usage) - set(_PLACES))
    if strange:
        raise DataError(f'{_TABLE}: usage "{strange[0]}" is none of {", ".join(_PLACES)}')
    names = columns.text(columns.require("Image name"))
    named = [row for row, name in enumerate(names) if name]
    unnamed = len(names) - len(named)
    notes = [f"{unnamed} rows without a name left out, as the set's authors say"] if unnamed else []
    once = _once(columns, names, named)
    if len(once) < len(named):
        notes.append(f"{len(named) - len(once)} rows that repeat another one left out")
    kept = [names[row] for row in once]
    check_unique(_TABLE, kept, "rows of one face must agree")
    return _Rows(columns=columns.take(once), names=kept, usage=[usage[row] for row in once], notes=tuple(notes))


def _places(root: Path, found: _Rows) -> _Faces:
    without_test = not (root / _PLACES["PrivateTest"][0]).is_dir()
    rows = [row for row, use in enumerate(found.usage) if not (without_test and use == "PrivateTest")]
    notes = list(found.notes)
    if without_test:
        absent = len(found.names) - len(rows)
        notes.append(f"no folder {_PLACES['PrivateTest'][0]}: no test split ({absent} rows left out)")
    names, folders = [found.names[row] for row in rows], [_PLACES[found.usage[row]][0] for row in rows]
    files = {folder: pictures_by_stem(root / folder) for folder, _ in _PLACES.values()}
    actual = [files[folder].get(Path(name).stem, name) for name, folder in zip(names, folders, strict=True)]
    notes += _other_suffix(names, actual)
    paths = [root / folder / name for name, folder in zip(actual, folders, strict=True)]
    splits = np.array([_PLACES[found.usage[row]][1] for row in rows])
    return _Faces(columns=found.columns.take(rows), names=names, paths=paths, splits=splits, notes=tuple(notes))


def _tested_on_valid(faces: _Faces) -> _Faces:
    """The faces of FER2013Valid as the test split, where that of the set is not there; no validation split is left.

    Raises:
        DataError: the set's own test faces are there.
    """
    if (faces.splits == "test").any():
        own = _PLACES["PrivateTest"][0]
        raise DataError(
            f'ferplus: option valid = "test": {own} is there, which is the test split; leave the option out'
        )
    splits = np.where(faces.splits == "validation", "test", faces.splits)
    return replace(faces, splits=splits, notes=(*faces.notes, "FER2013Valid is the test split"))


def _once(columns: Columns, names: list[str], rows: list[int]) -> list[int]:
    """The rows without exact repetitions: one copy of the set in circulation has three."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        seen.setdefault((names[row], *(cells[row] for cells in columns.values.values())), row)
    return list(seen.values())


def _other_suffix(names: list[str], actual: list[str]) -> list[str]:
    others = sorted({Path(a).suffix for a, n in zip(actual, names, strict=True) if a != n})
    return [f"pictures are {', '.join(others)} where the table says {Path(names[0]).suffix}"] if others else []


def _votes(columns: Columns, settings: DataSettings) -> FaceVotes:
    """Votes over the eight emotions or over polarity, and what ten people agree on."""
    surprise = option(settings, "surprise", str, "drop", choices=("drop", "neutral", "own"))
    classes = option(settings, "classes", str, "emotions", choices=("emotions", "polarity"))
    every = np.stack([columns.numbers(columns.require(name)) for name in (*FERPLUS, *_UNCLEAR)], axis=-1)
    whole_numbers(every, columns)
    counts = check_votes(every, columns)
    votes, unclear = counts[:, : len(FERPLUS)], counts[:, len(FERPLUS) :]
    names: tuple[str, ...] = FERPLUS
    ambiguous = np.zeros(len(counts), dtype=bool)
    if classes == "polarity":
        if surprise == "drop":
            ambiguous = majority(counts) == FERPLUS.index("surprise")
        names, votes = polarity_votes(votes, FERPLUS, ambiguous=surprise)
        names = (*POLARITIES, "surprise") if surprise == "own" else names
    winner = majority(np.concatenate([votes, unclear], axis=1))
    agreed = votes.max(axis=1) / counts.sum(axis=1) >= option(settings, "agreement", float, 0.0)
    return FaceVotes(
        categories=names,
        votes=votes,
        category=np.where((winner < len(names)) & agreed, winner, -1),
        unclear=winner >= len(names),
        ambiguous=ambiguous,
    )


def _clear(votes: FaceVotes, rows: Ints, settings: DataSettings) -> tuple[Ints, tuple[str, ...]]:
    """The rows that stay, and what is said of the others."""
    drops = {
        "mostly unknown or no face": (
            votes.unclear,
            option(settings, "unknown", str, "drop", choices=("drop", "keep")),
        ),
        "with a tie or too little agreement": (
            (votes.category < 0) & ~votes.unclear & ~votes.ambiguous,
            option(settings, "ties", str, "drop", choices=("drop", "keep")),
        ),
        "mostly surprise": (votes.ambiguous, "drop"),
    }
    kept, notes = np.ones(len(votes.category), dtype=bool), []
    for what, (which, rule) in drops.items():
        n = int(which[rows].sum())
        if n:
            notes.append(f"{n} faces {what} {'left out' if rule == 'drop' else 'kept without a category'}")
        kept &= ~which if rule == "drop" else True
    return rows[kept[rows]], tuple(notes)


DATASET = Dataset(
    name="ferplus",
    title="FER+: faces in the wild, 48 x 48 grey, with ten votes each over eight emotions",
    kind="affective",
    licence="votes: MIT (the FER+ repository); faces: under the terms of the FER-2013 challenge, see homepage",
    show_pictures=False,
    citation=(
        "Barsoum, E., Zhang, C., Canton Ferrer, C., & Zhang, Z. (2016). Training deep networks for facial expression "
        "recognition with crowd-sourced label distribution. ICMI 2016. https://arxiv.org/abs/1608.01041; faces: "
        "Goodfellow, I. J., et al. (2013). Challenges in representation learning: A report on three machine learning "
        "contests. ICONIP 2013."
    ),
    homepage="https://github.com/microsoft/FERPlus",
    labels=("votes", "category"),
    categories=FERPLUS,
    layout=f"{_TABLE}, FER2013Train/, FER2013Valid/ and, if you have it, FER2013Test/, with <name>.png (any suffix)",
    options={
        "classes": '"emotions" (default: eight) or "polarity" (negative, neutral, positive)',
        "surprise": 'with classes = "polarity": "drop" faces mostly of surprise (default), "neutral", or "own" class',
        "ties": '"drop" faces without one most voted category (default), or "keep" them without a category',
        "unknown": '"drop" faces that are mostly unknown or no face (default), or "keep" them without a category',
        "valid": '"validation" (default), or "test": FER2013Valid is the test split, for copies without FER2013Test',
        "agreement": "smallest share of the votes that the category must have; default: 0 (FER+'s own rule: above 0.5)",
    },
    read=read,
)
