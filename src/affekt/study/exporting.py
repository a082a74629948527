"""Exporting: every test item of every run as one long table, for other people's statistics (a mixed model, say)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from affekt.errors import MissingExtra, UsageError
from affekt.study.columns import Columns, Kind
from affekt.study.frame import Frame, finished_records
from affekt.study.results import Record
from affekt.study.scores import Scores, read_scores

COLUMNS: Mapping[str, Kind] = {
    "condition": "text",
    "seed": "whole",
    "item": "text",
    "group": "text",
    "category": "whole",
    "correct": "real",
    "nll": "real",
    "r": "real",
}
SUFFIXES = (".csv", ".parquet")


def export_items(folder: Path, frame: Frame, path: Path) -> int:
    """Write one row a test item of each finished run; returns the number of rows.

    ``correct`` is 1 or 0, or a mean over permutations of the affect states; ``nll`` in nats; ``r`` the regulation
    weight (of an r for each class: their mean), empty where there is none. Both are empty for runs out of an archive.
    Of a study of clips a row is a test clip and a task, see :func:`affekt.study.clips.exporting.clip_rows`.

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
    kinds, rows_of = _table(folder, frame, records)
    rows = 0
    with _writer(path, kinds) as write:
        for record in records:
            columns = rows_of(record)
            write(columns)
            rows += len(columns["item"])
    return rows


def _table(folder: Path, frame: Frame, records: list[Record]) -> tuple[Mapping[str, Kind], Callable[[Record], Columns]]:
    """The table's columns, and what makes one run's rows: a run at a time, so that memory does not grow with the
    study."""
    if not frame.recipe.of_clips:
        return COLUMNS, lambda record: _columns(folder, record)
    from affekt.study.clips.exporting import classes_of, clip_columns, clip_rows

    classes = classes_of(folder, records)
    return clip_columns(classes), lambda record: clip_rows(folder, record, classes)


def _columns(folder: Path, record: Record) -> Columns:
    """One run's rows, column by column."""
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
def _writer(path: Path, kinds: Mapping[str, Kind]) -> Iterator[Callable[[Columns], None]]:
    """A block with a function that appends columns of equal length to a new file."""
    if path.suffix == ".csv":
        with path.open("x", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(kinds)
            yield lambda columns: table.writerows(zip(*(columns[name] for name in kinds), strict=True))
        return
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", "pyarrow") from None
    types = {"text": pyarrow.string(), "whole": pyarrow.int64(), "real": pyarrow.float64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in kinds.items()])
    with parquet.ParquetWriter(path, schema) as written:
        yield lambda columns: written.write_table(pyarrow.table(columns, schema=schema))
