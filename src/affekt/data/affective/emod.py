"""EMOd: 1,019 pictures with valence, arousal, dominance and weights of nine emotions (Fan et al. 2018)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import canonical_category, majority, parse_scale
from affekt.data.affective.files import pictures_by_stem, present
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Ints, Labels, Stimuli, Strings
from affekt.errors import DataError, UsageError, first
from affekt.recipe import DataSettings

_TABLE, _VARIABLE, _PICTURES = "allfindata1019_renamed.mat", "allfindata1019", "EMOdImages1019"
_FIXATIONS = ("FixationMap/Continous_map", "FixationMap/Continuous_map")
_ID, _RATINGS, _WEIGHTS = 0, slice(3, 6), slice(6, 15)

EMOTION_NAMES = tuple(f"emotion {number}" for number in range(1, 10))
"""The set does not publish what its nine weights are called; until you name them they are numbered."""


def read(root: Path, settings: DataSettings) -> Stimuli:
    """The pictures that are there, joined with the table by number; no split is fixed, each is its own group.

    The set ships without its pictures from IAPS: rows without a picture are counted, and are no error.

    Raises:
        DataError: table missing or not as published, no picture at all, a rating outside the scale, weights below zero.
        UsageError: names or a scale that cannot be.
    """
    names = _names(option(settings, "emotion_names", tuple, EMOTION_NAMES))
    table = _load(root / _TABLE)
    numbers = _numbers(table)
    files = _numbered(root / _PICTURES)
    shown = [files.get(number, f"{number}.jpg") for number in numbers.tolist()]
    paths = [root / _PICTURES / name for name in shown]
    found = present("emod", paths, shown, settings, tolerated=True)
    labels = _labels(table, names, option(settings, "scale", str, "1-9"))
    ids = np.array([str(number) for number in numbers.tolist()])[found.rows]
    fixations = {"fixation_map": _fixation_maps(root, ids)}
    return Stimuli(
        name="emod",
        ids=ids,
        pictures=FilePictures([paths[row] for row in found.rows], image_size=settings.image_size, fit=settings.fit),
        labels=Labels(**{**vars(labels.take(found.rows)), "extra": fixations}),
        groups=ids,
        notes=(*found.notes, *_notes(names, files, numbers)),
        missing=found.missing,
    )


def _names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Nine names, canonical where they are emotions that affekt knows."""
    if len(given) != 9:
        raise UsageError(f"emod: option emotion_names has {len(given)} names; write nine, in the order of the columns")
    names = tuple(map(_known, given))
    if len(set(names)) != 9:
        raise UsageError(f"emod: option emotion_names = {', '.join(given)}: each name once")
    return names


def _known(name: str) -> str:
    try:
        return canonical_category(name)
    except UsageError:
        return name.strip().lower()


def _load(path: Path) -> NDArray[np.float64]:
    """``(N, 15+)`` the table.

    Raises:
        DataError: missing, not readable, without the variable, or of another shape.
    """
    from scipy.io import loadmat

    if not path.is_file():
        raise DataError(f"emod: no {path}; the folder must hold {_TABLE} and {_PICTURES}/<number>.jpg")
    try:
        variables: dict[str, Any] = loadmat(path, appendmat=False)
    # Right to catch: scipy's own word for MATLAB 7.3, an HDF5 file; nothing of ours is left out.
    except NotImplementedError:
        raise DataError(f"emod: {path.name} is saved as MATLAB 7.3; save it anew with save(..., '-v7')") from None
    except Exception as error:  # a damaged file makes the parser raise nearly anything
        raise DataError(f"emod: {path.name} cannot be read ({' '.join(str(error).split())[:100]})") from None
    if _VARIABLE not in variables:
        others = first(sorted(name for name in variables if not name.startswith("__")))
        raise DataError(f'emod: {path.name} has no variable "{_VARIABLE}"; found: {others or "none"}')
    table = variables[_VARIABLE]
    if table.ndim != 2 or table.shape[1] < _WEIGHTS.stop or table.dtype.kind not in "fiu":
        raise DataError(
            f"emod: {_VARIABLE} is {table.shape} {table.dtype}; (N, {_WEIGHTS.stop} or more) numbers wanted"
        )
    return np.asarray(table, dtype=np.float64)


def _numbers(table: NDArray[np.float64]) -> Ints:
    """``(N,)`` picture numbers, which the table keeps as floats."""
    ids = table[:, _ID]
    wrong = np.flatnonzero(~np.isfinite(ids) | (ids != np.rint(ids)))
    if len(wrong):
        raise DataError(f"emod: {_TABLE}: {len(wrong)} id(s) are no whole numbers (first: row {wrong[0]})")
    numbers = ids.astype(np.int64)
    values, counts = np.unique(numbers, return_counts=True)
    if (counts > 1).any():
        raise DataError(f"emod: {_TABLE}: {int((counts > 1).sum())} id(s) stand twice: {first(values[counts > 1])}")
    return numbers


def _numbered(folder: Path) -> dict[int, str]:
    """Picture number -> file name; ``0012.JPG`` is number 12."""
    return {int(stem): name for stem, name in pictures_by_stem(folder).items() if stem.isdecimal()}


def _labels(table: NDArray[np.float64], names: tuple[str, ...], scale_name: str) -> Labels:
    scale = parse_scale(scale_name)
    ratings = {}
    for column, dimension in enumerate(("valence", "arousal", "dominance")):
        values = table[:, _RATINGS][:, column]
        ratings[dimension] = scale.check(values, f'emod: {dimension} (option scale = "{scale_name}")').astype(
            np.float32
        )
    weights = table[:, _WEIGHTS]
    if not np.isfinite(weights).all() or (weights < 0).any():
        rows = np.flatnonzero((~np.isfinite(weights) | (weights < 0)).any(axis=1))
        raise DataError(
            f"emod: {_TABLE}: {len(rows)} row(s) with emotion weights below zero or missing (row {rows[0]})"
        )
    category = np.where(weights.sum(axis=1) > 0, majority(weights), -1)
    return Labels(
        categories=names,
        category=category.astype(np.int64),
        votes=weights.astype(np.float32),
        ratings=ratings,
        scale=scale,
    )


def _fixation_maps(root: Path, ids: Strings) -> Strings:
    """``(N,)`` path below the root of each picture's map of fixations, ``""`` where there is none."""
    for folder in _FIXATIONS:
        maps = _numbered(root / folder)
        if maps:
            return np.array([f"{folder}/{maps[int(i)]}" if int(i) in maps else "" for i in ids.tolist()])
    return np.full(len(ids), "")


def _notes(names: tuple[str, ...], files: dict[int, str], numbers: Ints) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if names == EMOTION_NAMES:
        notes += ("the nine emotions have no published names and are numbered; name them with option emotion_names",)
    if strays := sorted(set(files) - set(numbers.tolist())):
        notes += (f"{len(strays)} pictures have no row in {_TABLE}, left out: {first(files[n] for n in strays)}",)
    return notes


DATASET = Dataset(
    name="emod",
    title="EMOtional attention dataset: 1,019 pictures with ratings, emotion weights and maps of fixations",
    kind="affective",
    licence="see homepage; its pictures from IAPS are given on request by the owners of IAPS only",
    show_pictures=False,
    citation=(
        "Fan, S., Shen, Z., Jiang, M., Koenig, B. L., Xu, J., Kankanhalli, M. S., & Zhao, Q. (2018). Emotional "
        "Attention: A Study of Image Sentiment and Visual Attention. CVPR 2018, 7521-7531."
    ),
    homepage="https://nus-sesame.top/emotionalattention/",
    labels=("valence", "arousal", "dominance", "votes", "category"),
    layout=f"{_TABLE}, {_PICTURES}/<number>.jpg and, if you have them, {_FIXATIONS[0]}/<number>.jpg",
    expected=1019,
    options={
        "emotion_names": "nine names for the nine emotion weights, in the order of the columns; default: numbered",
        "scale": 'scale of the ratings; default: "1-9"',
    },
    read=read,
)
