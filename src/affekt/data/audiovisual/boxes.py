"""Given face boxes: a table of ``id, left, top, width, height`` in pixels, with ``time`` where a face moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affekt.data.affective.columns import Columns, read_columns
from affekt.data.audiovisual.faces import ByBoxes
from affekt.errors import DataError, first


@dataclass(frozen=True, kw_only=True)
class FaceBoxes:
    """Boxes by clip.

    Attributes:
        name: of the table, for messages.
        by_id: clip id -> its boxes.
    """

    name: str
    by_id: Mapping[str, ByBoxes]

    def of(self, name: str) -> ByBoxes:
        """The boxes of a clip, or of the clip that a window (``id@start-end``) is cut from.

        Raises:
            DataError: the table has none.
        """
        found = self.by_id.get(name) or self.by_id.get(name.rpartition("@")[0])
        if found is None:
            raise DataError(f"{self.name}: no face box for {name}")
        return found

    def key_of(self, path: Path) -> str | None:
        """The id of a file in the table: its path, its name, or that without its ending; None where it has none."""
        return next((name for name in (str(path), path.name, path.stem) if name in self.by_id), None)

    def check(self, ids: Iterable[str]) -> None:
        """
        Raises:
            DataError: clips without a box: how many, and the first.
        """
        without = [i for i in ids if i not in self.by_id and i.rpartition("@")[0] not in self.by_id]
        if without:
            raise DataError(f"{self.name}: no face box for {len(without)} clip(s): {first(without)}")


def read_boxes(path: Path) -> FaceBoxes:
    """A csv or parquet table with the columns ``id``, ``left``, ``top``, ``width``, ``height`` and perhaps ``time``.

    ``time`` is in seconds of the file that the pictures are in; of several boxes the nearest in time is used.

    Raises:
        DataError: no such table or column, a cell that is no number, a box without area.
    """
    columns = read_columns(path)
    names = np.array(columns.text(columns.require("id", "clip", "path")))
    left, top, width, height = (_numbers(columns, name) for name in ("left", "top", "width", "height"))
    flat = np.flatnonzero((width <= 0) | (height <= 0))
    if len(flat):
        raise DataError(f"{columns.name}: {len(flat)} box(es) without area (line {columns.lines[int(flat[0])]})")
    times = _numbers(columns, header) if (header := columns.find("time")) else np.zeros(len(names))
    corners = np.stack([left, top, left + width, top + height], axis=1)
    order = np.lexsort((times, names))
    found = {}
    for name in np.unique(names).tolist():
        rows = order[names[order] == name]
        found[name] = ByBoxes(boxes=corners[rows], times=times[rows])
    return FaceBoxes(name=columns.name, by_id=found)


def _numbers(columns: Columns, name: str) -> NDArray[np.float64]:
    """
    Raises:
        DataError: an empty cell.
    """
    values = columns.numbers(columns.require(name))
    empty = np.flatnonzero(~np.isfinite(values))
    if len(empty):
        raise DataError(f'{columns.name}: column "{name}": empty in line {columns.lines[int(empty[0])]}')
    return values
