"""Exporting: the test clips of a run of clips as rows of one long table, a row for each clip and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from affekt.study.clips.records import LOGS, Arrays
from affekt.study.clips.scores import read_arrays
from affekt.study.columns import Columns, Kind
from affekt.study.folder import RunFolder
from affekt.study.results import Record
from affekt.study.statistics.calibration import item_nll

Classes = Mapping[str, Sequence[str]]
"""Task -> names of its classes."""

COLUMNS: Mapping[str, Kind] = {
    "condition": "text",
    "seed": "whole",
    "fold": "whole",
    "item": "text",
    "group": "text",
    "task": "text",
    "label": "text",
    "predicted": "text",
    "correct": "whole",
    "nll": "real",
}
LABEL = "label_"
"""Before the name of a task: the column with a clip's label of that task, in the rows of every task."""


def classes_of(folder: Path, records: Sequence[Record]) -> dict[str, list[str]]:
    """Classes of every task that a finished run has learned."""
    found: dict[str, list[str]] = {}
    for record in records:
        found |= (RunFolder(folder / record["folder"]).result() or {})["tasks"]
    return found


def clip_columns(classes: Classes) -> dict[str, Kind]:
    """The columns of the table."""
    return {**COLUMNS, **{f"{LABEL}{task}": "text" for task in classes}}


def clip_rows(folder: Path, record: Record, classes: Classes) -> Columns:
    """One run's rows, column by column: of each task that it learned the test clips whose label is known.

    ``group`` is the speaker; ``fold`` the fold in which a clip was tested, empty of a run of one split; ``correct`` 1
    or 0; ``nll`` in nats; ``label_<task>`` the clip's label of each task that the study learns (a group to compare:
    the recorded gender, say), empty where it is not known.

    Args:
        folder: of the study.
        classes: see :func:`classes_of`.

    Raises:
        AffektError: predictions that were altered.
    """
    arrays = read_arrays(folder / record["folder"], record["predictions"])
    columns: Columns = {name: [] for name in clip_columns(classes)}
    for task in (name.removesuffix(LOGS) for name in arrays if name.endswith(LOGS)):
        for name, values in rows_of(arrays, task, record, classes).items():
            columns[name] += values
    return columns


def rows_of(arrays: Arrays, task: str, record: Record, classes: Classes) -> Columns:
    """The rows of one task, by the test part of a run's predictions."""
    known = arrays[f"label/{task}"] >= 0
    logs, labels = arrays[f"{task}{LOGS}"][known].astype(np.float64), arrays[f"label/{task}"][known]
    said, names, n = logs.argmax(axis=1), np.array(classes[task]), len(labels)
    return {
        "condition": [record["condition"]] * n,
        "seed": [int(record["seed"])] * n,
        "fold": arrays["fold"][known].tolist() if "fold" in arrays else [None] * n,
        "item": arrays["ids"][known].tolist(),
        "group": arrays["groups"][known].tolist(),
        "task": [task] * n,
        "label": names[labels].tolist(),
        "predicted": names[said].tolist(),
        "correct": (said == labels).astype(int).tolist(),
        "nll": item_nll(logs, labels).tolist(),
        **{f"{LABEL}{t}": np.array([*c, ""])[arrays[f"label/{t}"][known]].tolist() for t, c in classes.items()},
    }
