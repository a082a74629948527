"""Exporting: every test item of every run as one long table, for other people's statistics (a mixed model, say)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from affekt.errors import MissingExtra, UsageError
from affekt.study.frame import Frame, finished_records
from affekt.study.results import Record
from affekt.study.scores import Scores, read_scores

COLUMNS = ("condition", "seed", "item", "group", "category", "correct", "nll", "r")
SUFFIXES = (".csv", ".parquet")


def export_items(folder: Path, frame: Frame, path: Path) -> int:
    """Write one row a test item of each finished run; returns the number of rows.

    ``correct`` is 1 or 0, or a mean over permutations of the affect states; ``nll`` in nats; ``r`` the regulation
    weight (of an r for each class: their mean), empty where there is none. Both are empty for runs out of an archive.

    Args:
        path: ``.csv`` or ``.parquet``.

    Raises:
        UsageError: another kind of file, or one that exists.
        MissingExtra: parquet without pyarrow.
        AffektError: predictions that were altered.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: .csv or .parquet is asked")
    if path.exists():
        raise UsageError(f"{path}: exists already and is not overwritten; give another name or remove it")
    records = finished_records(folder, frame)[0]
    rows = 0
    with _writer(path) as write:
        for record in records:
            columns = _columns(folder, record)
            write(columns)
            rows += len(columns["item"])
    return rows


def _columns(folder: Path, record: Record) -> dict[str, list[Any]]:
    """One run's rows, column by column; a run at a time, so that memory does not grow with the study."""
    scores = read_scores(folder, [record])
    assert isinstance(scores, Scores)
    run = scores.runs[record["condition"]][int(record["seed"])]
    n = len(scores.ids)
    r: list[Any] = [None] * n if run.regulation is None else run.regulation.tolist()
    return {
        "condition": [record["condition"]] * n,
        "seed": [int(record["seed"])] * n,
        "item": scores.ids.tolist(),
        "group": scores.groups.tolist(),
        "category": np.asarray(scores.category).tolist(),
        "correct": run.correct.tolist(),
        "nll": [None] * n if run.item_nll is None else run.item_nll.tolist(),
        "r": r,
    }


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[dict[str, list[Any]]], None]]:
    """A block with a function that appends columns of equal length to a new file."""
    if path.suffix == ".csv":
        with path.open("x", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            yield lambda columns: table.writerows(_rows(columns))
        return
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", "pyarrow") from None
    text, whole, real = pyarrow.string(), pyarrow.int64(), pyarrow.float64()
    schema = pyarrow.schema(list(zip(COLUMNS, (text, whole, text, text, whole, real, real, real), strict=True)))
    with parquet.ParquetWriter(path, schema) as written:
        yield lambda columns: written.write_table(pyarrow.table(columns, schema=schema))


def _rows(columns: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    return zip(*(columns[name] for name in COLUMNS), strict=True)
