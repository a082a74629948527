"""Pairs of ``affekt stimuli``: the tables of ``--morph`` and ``--landmarks``, and which of the pictures are scaled."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.errors import DataError, first, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from affekt.data import Stimuli

PAIR_COLUMNS = ("first", "second")
LANDMARK_COLUMNS = ("id", "x", "y")


def pairs_of(path: Path, source: Stimuli) -> list[tuple[int, int]]:
    """Rows of the source for each pair in a table.

    Raises:
        DataError: no file, a column missing, an id that the source has not, no pair, a pair twice.
    """
    row_of = {name: row for row, name in enumerate(source.ids.tolist())}
    pairs: dict[tuple[int, int], None] = {}
    for line, names in enumerate(_pair_names(path), start=2):
        for name in names:
            if name not in row_of:
                shown = f"the {len(row_of)} ids of the source, e.g. {first(row_of, n=2)}"
                raise DataError(f"{path}: line {line}: {unknown('picture', name, row_of, everything=shown)}")
        pair = (row_of[names[0]], row_of[names[1]])
        if pair in pairs:
            raise DataError(f"{path}: line {line}: the pair {names[0]}, {names[1]} stands there twice; keep one")
        pairs[pair] = None
    if not pairs:
        raise DataError(f"{path}: no pair in it; write one a line below {','.join(PAIR_COLUMNS)}")
    return list(pairs)


def scaled_of(source: Stimuli, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Which pictures of pairs are not read as they are: landmarks are in pixels of what they become."""
    from affekt.data.face_boxes import size_behind
    from affekt.data.packs import of_files

    files = source.pictures
    if not of_files(files):
        return []
    side = files.image_size
    sizes = {row: size_behind(files, row) for row in sorted({row for pair in pairs for row in pair})}
    others = [f"{source.ids[row]} ({w} x {h})" for row, (w, h) in sizes.items() if (w, h) != (side, side)]
    return [f"morph: brought to {side} x {side} pixels: {first(others)}"] if others else []


def landmarks_of(path: Path) -> dict[str, NDArray[np.float64]]:
    """Id -> ``(L, 2)`` points.

    Raises:
        DataError: no file, a column missing, or something that is no number.
    """
    import numpy as np

    points: dict[str, list[tuple[float, float]]] = {}
    for line, row in enumerate(_rows(path, LANDMARK_COLUMNS, "--landmarks"), start=2):
        try:
            points.setdefault(row["id"], []).append((float(row["x"]), float(row["y"])))
        except ValueError:
            raise DataError(f'{path}: line {line}: x = "{row["x"]}", y = "{row["y"]}": numbers were expected') from None
    return {name: np.array(own) for name, own in points.items()}


def _pair_names(path: Path) -> list[tuple[str, str]]:
    return [(row["first"], row["second"]) for row in _rows(path, PAIR_COLUMNS, "--morph")]


def _rows(path: Path, columns: Sequence[str], option: str) -> list[dict[str, str]]:
    """The rows of a table with these columns.

    Raises:
        DataError: no file, no text, or a column missing, with what was found.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in columns if c not in (reader.fieldnames or ())]
            if missing:
                found = ", ".join(reader.fieldnames or ()) or "nothing"
                raise DataError(f"{path}: no column {', '.join(missing)}; {found} found, {','.join(columns)} asked")
            return [{name: row[name] or "" for name in columns} for row in reader]
    except FileNotFoundError:
        raise DataError(f"{option} {path}: no such file") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: no UTF-8 text; save the table as CSV in UTF-8") from None
