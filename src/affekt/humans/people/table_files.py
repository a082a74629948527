"""Writing a long table to a file: csv or parquet, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from affekt.errors import MissingExtra, UsageError
from affekt.humans.agreement.tables import Row
from affekt.saving.whole import write_bytes

SUFFIXES = (".csv", ".parquet")


def write_table(path: Path | str, rows: Iterable[Row]) -> int:
    """Write rows to a csv or parquet file, whole or not at all; the number of rows.

    Args:
        path: an absent file, ``.csv`` or ``.parquet``.
        rows: with the columns of the first; None is an empty cell.

    Raises:
        UsageError: another ending, a file that exists, no rows.
        MissingExtra: parquet without pyarrow.
        AffektError: the disk is full, or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: .csv or .parquet is asked")
    if path.exists():
        raise UsageError(f"{path}: exists already and is not overwritten; give another name or remove it")
    given = list(rows)
    if not given:
        raise UsageError(f"{path}: no rows to write; nothing was answered by people and models")
    write_bytes(path, _csv(given) if path.suffix.lower() == ".csv" else _parquet(given))
    return len(given)


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: list[Row]) -> bytes:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", "pyarrow") from None
    held = io.BytesIO()
    parquet.write_table(pyarrow.table({name: [row[name] for row in rows] for name in rows[0]}), held)
    return held.getvalue()
