"""Face boxes of still pictures: from a table, brought to the squares that pictures are read as."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from affekt.data.audiovisual.boxes import FaceBoxes
from affekt.data.packs import PackedPictures, of_files
from affekt.data.pictures import FilePictures, Fit, seen_of
from affekt.data.stimuli import Stimuli
from affekt.errors import DataError, first

Floats = NDArray[np.float64]

TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation that lay a picture on its side: it is read upright."""

ORIENTATION = 0x0112


def boxes_of_stimuli(table: FaceBoxes, source: Stimuli, rows: Sequence[int]) -> dict[str, Floats]:
    """Id -> left, top, right, bottom of the face, in pixels of the picture as ``source`` reads it.

    Boxes are in pixels of the file; of pictures that come as an array, in pixels of these.

    Args:
        rows: the pictures that need one.

    Raises:
        DataError: a picture without a box, with several, or with one outside of it; one box for several pictures.
    """
    ids = [str(source.ids[row]) for row in rows]
    check_own(table, ids)
    found = dict(zip(ids, boxes_of_files(table, ids), strict=True))
    pictures = source.pictures
    if of_files(pictures):
        size, fit = pictures.image_size, pictures.fit
        return {
            name: in_square(table.name, name, box, size_behind(pictures, row), size, fit)
            for (name, box), row in zip(found.items(), rows, strict=True)
        }
    height, width = source.images(np.asarray(rows[:1], dtype=np.int64)).shape[-2:]
    return {name: _within(table.name, name, box, width, height) for name, box in found.items()}


def boxes_of_files(table: FaceBoxes, paths: Sequence[str]) -> list[Floats]:
    """``(4,)`` left, top, right, bottom as the table has them, of each picture.

    Raises:
        DataError: a picture without a box, or with several.
    """
    keys = [table.key_of(Path(path)) for path in paths]
    without = [path for path, key in zip(paths, keys, strict=True) if key is None]
    if without:
        raise DataError(f"{table.name}: no face box for {len(without)} picture(s): {first(without)}")
    there = [key for key in keys if key is not None]
    several = sorted({key for key in there if len(table.by_id[key].boxes) > 1})
    if several:
        raise DataError(f"{table.name}: several face boxes for {first(several)}; a picture takes one")
    return [table.by_id[key].boxes[0] for key in there]


def check_own(table: FaceBoxes, paths: Sequence[str]) -> None:
    """
    Raises:
        DataError: one box for several pictures, which have a name in common.
    """
    keys = {path: table.key_of(Path(path)) for path in paths}
    uses = Counter(keys.values())
    shared = [path for path, key in keys.items() if key is not None and uses[key] > 1]
    if shared:
        raise DataError(f"{table.name}: one face box for {len(shared)} pictures: {first(shared)}; write paths as ids")


def in_square(table: str, name: str, box: Floats, size: tuple[int, int], image_size: int, fit: Fit) -> Floats:
    """A box in pixels of a file, in pixels of the square that :func:`affekt.data.pictures.read_picture` makes of it.

    Args:
        table, name: for messages.
        box: ``(4,)`` left, top, right, bottom.
        size: width and height of the upright picture.

    Raises:
        DataError: nothing of the box is in the square.
    """
    left, top, right, bottom = seen_of(*size, fit)
    moved = (box.reshape(2, 2) - [left, top]) * image_size / [right - left, bottom - top]
    return _within(table, name, moved.ravel(), image_size, image_size)


def size_behind(pictures: FilePictures | PackedPictures, row: int) -> tuple[int, int]:
    """Width and height of the file behind a picture, see :func:`upright_size`."""
    if isinstance(pictures, FilePictures):
        return upright_size(pictures.paths[row])
    return upright_size(pictures.raw(np.array([row], dtype=np.int64))[0])


def upright_size(source: str | Path | bytes) -> tuple[int, int]:
    """Width and height of a picture in a file (or its bytes) as it is read.

    Raises:
        DataError: no picture.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            turned = image.getexif().get(ORIENTATION) in TURNED
            return (image.height, image.width) if turned else image.size
    except (OSError, ValueError, SyntaxError):
        name = "a packed picture" if isinstance(source, bytes) else source
        raise DataError(f"{name}: cannot be read as a picture; replace it or leave it out") from None


def _within(table: str, name: str, box: Floats, width: int, height: int) -> Floats:
    left, top, right, bottom = box
    if not (left < width and top < height and right > 0 and bottom > 0):
        raise DataError(f"{table}: the face box of {name} lies outside of what is seen of the picture")
    return box
