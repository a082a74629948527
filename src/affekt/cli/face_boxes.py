"""``--boxes``: a table of face boxes, as ``affekt predict``, ``affekt stimuli`` and ``affekt look`` take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affekt.data.audiovisual.boxes import FaceBoxes


def add_boxes(parser: Any, about: str = "") -> None:
    """--boxes FILE; ``about`` is said after what the table has."""
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help=f"table of face boxes: id (the file), left, top, width, height{about}",
    )


def read(path: Path) -> FaceBoxes:
    """
    Raises:
        DataError: no such table or column, a cell that is no number, a box without area.
    """
    from affekt.data.audiovisual.boxes import read_boxes

    return read_boxes(path.expanduser())
