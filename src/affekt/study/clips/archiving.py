"""Archiving: a study of clips in one small file - every finished run's records and logs, no weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from affekt.study.folder import PREDICTIONS
from affekt.study.frame import LOG, OF_A_RUN, OF_A_STUDY, Frame, finished_records
from affekt.study.results import FILE, folds_of


def files_of_clips(folder: Path, frame: Frame) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything that a study of clips needs to be compared, reported and gone on with elsewhere.

    Predictions are small and kept as they are, so that their hashes hold; of each fold the log is kept.
    """
    for name in OF_A_STUDY:
        if (folder / name).exists():
            yield name, (folder / name).read_bytes()
    records = finished_records(folder, frame)[0]
    for record in records:
        run = folder / record["folder"]
        for file in [run / name for name in (*OF_A_RUN, PREDICTIONS)] + [part / LOG for part in folds_of(run) or [run]]:
            yield file.relative_to(folder).as_posix(), file.read_bytes()
    yield FILE, "".join(json.dumps(record, allow_nan=False) + "\n" for record in records).encode()
