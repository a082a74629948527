"""Fixations: people's continuous maps that stand beside a set's pictures, read as the network sees the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.data.pictures import FilePictures, Fit, read_picture
from affekt.data.stimuli import Ints, Stimuli
from affekt.errors import DataError, first

Floats32 = NDArray[np.float32]

COLUMN = "fixation_map"
"""Label column with the path of each picture's map below the set's folder, ``""`` where there is none (EMOd has it)."""

ASPECT = 0.02
"""By so much a map's ratio of width to height may differ from its picture's: copies are rounded to whole pixels."""


@dataclass(frozen=True, kw_only=True)
class FixationMaps:
    """Maps of M pictures.

    Attributes:
        rows: ``(M,)`` of the stimuli that have one.
        density: ``(M, S, S)`` float32, 0 or more, brightest 1 at most; cropped and scaled as the pictures are.
        notes: what was left out.
    """

    rows: Ints
    density: Floats32
    notes: tuple[str, ...]


def read_fixations(stimuli: Stimuli, root: Path | str, *, image_size: int, fit: Fit = "crop") -> FixationMaps:
    """The maps of a set's pictures, joined on their ids by the reader of the set.

    Args:
        stimuli: with the label column ``fixation_map``, as ``open_stimuli("emod")`` has it.
        root: the set's folder.
        image_size: S, pixels.
        fit: how the network gets its pictures, ``"crop"`` or ``"squash"``.

    Raises:
        DataError: no map at all, one that does not decode, or that is not of its picture's shape.
    """
    names = stimuli.labels.extra.get(COLUMN)
    rows = np.flatnonzero(np.asarray(names) != "") if names is not None else np.empty(0, dtype=np.int64)
    if names is None or not len(rows):
        raise DataError(
            f"{stimuli.name}: no map of fixations for its {len(stimuli)} pictures; EMOd has them in "
            f"{root}/FixationMap/Continous_map/<number>.jpg beside EMOdImages1019"
        )
    paths = [Path(root) / str(names[row]) for row in rows]
    _check_shapes(stimuli, rows, paths)
    density = np.stack([_read(path, image_size, fit) for path in paths])
    some = density.any(axis=(1, 2))
    notes = []
    if len(rows) < len(stimuli):
        notes.append(f"{len(stimuli) - len(rows)} of {len(stimuli)} pictures have no map of fixations, left out")
    if not some.all():
        black = first(stimuli.ids[rows[~some]].tolist())
        notes.append(f"{int((~some).sum())} maps of fixations are black within the picture, left out: {black}")
    if not some.any():
        raise DataError(f"{stimuli.name}: all {len(rows)} maps of fixations are black; give maps with fixations")
    return FixationMaps(rows=rows[some].astype(np.int64), density=density[some], notes=tuple(notes))


def _read(path: Path, image_size: int, fit: Fit) -> Floats32:
    pixels = read_picture(path, image_size=image_size, fit=fit)
    return np.asarray(pixels.mean(axis=2, dtype=np.float32) / 255)


def _check_shapes(stimuli: Stimuli, rows: Ints, paths: list[Path]) -> None:
    """Raises:
    DataError: maps that cannot lie over their pictures; how many, and the first.
    """
    pictures = stimuli.pictures
    if not isinstance(pictures, FilePictures):
        return
    wrong = []
    for row, path in zip(rows, paths, strict=True):
        picture, other = _size(Path(pictures.paths[row])), _size(path)
        if abs(picture[0] * other[1] / (picture[1] * other[0]) - 1) > ASPECT:
            wrong.append(f"{path.name} {other[0]} x {other[1]} for a picture of {picture[0]} x {picture[1]}")
    if wrong:
        raise DataError(
            f"{stimuli.name}: {len(wrong)} maps of fixations have another shape than their picture: "
            f"{first(wrong, n=2)}; give maps of the whole picture"
        )


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, SyntaxError):
        raise DataError(f"{path}: cannot be read as a picture; replace it or leave it out") from None
