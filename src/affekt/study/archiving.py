"""Archiving: a study's finished runs in one small file - scores and records, no weights - that can be gone on with."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError, UsageError
from affekt.saving.whole import temporary_for
from affekt.study.conditions import ENSEMBLES
from affekt.study.frame import LOG, OF_A_RUN, OF_A_STUDY, Frame, finished_records
from affekt.study.report.predictions import read_predictions, reduced_arrays
from affekt.study.results import FILE, Record
from affekt.study.scores import ANSWERS, ARCHIVED, ITEMS, Items, Scores, read_answers, read_scores, scored_arrays

DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in the archive: the same study gives the same bytes."""


@dataclass(frozen=True, kw_only=True)
class Archived:
    """What an archive holds.

    Attributes:
        runs: how many.
        left_out: folders of finished runs that an unfinished ensemble needs whole.
    """

    runs: int
    left_out: Sequence[str]


def archive(folder: Path, frame: Frame, path: Path, *, answers: bool = False) -> Archived:
    """Write a study's finished runs into a zip file.

    Unpacked into an empty folder it is that study: ``affekt report`` reports it and ``affekt study`` trains what is
    missing. Each run keeps its recipe, environment, result, log, which items it got right, and for the
    method's runs r and the affect states in half precision; not its weights, its predictions in full, nor its items'
    log-losses one by one.

    Args:
        path: ``.zip``, not there yet.
        answers: keep the probabilities of each test picture's classes, too (in half precision), so that
            ``affekt compare-humans`` can hold the unpacked study against people.

    Raises:
        UsageError: another kind of file, one that exists, a study without a finished run, or answers of clips.
        AffektError: predictions that were altered, or a file that cannot be written.
    """
    if path.suffix != ".zip":
        raise UsageError(f"{path}: .zip is asked")
    if path.exists():
        raise UsageError(f"{path}: exists already and is not overwritten; give another name or remove it")
    records = finished_records(folder, frame)[0]
    needed = _needed(frame, records)
    kept = [record for record in records if record["folder"] not in needed]
    if not kept:
        raise UsageError(f"{folder}: no finished run to archive")
    if frame.recipe.of_clips:
        from affekt.study.clips.archiving import files_of_clips

        if answers:
            raise UsageError("a study of clips has no answers for people to be held against; leave --answers out")
        _write(path, files_of_clips(folder, frame))
    else:
        _write(path, _files(folder, frame, kept, answers))
    return Archived(runs=len(kept), left_out=sorted({record["folder"] for record in records} & needed))


def _needed(frame: Frame, records: Sequence[Record]) -> set[str]:
    """Folders of baselines that are members of an ensemble which is not finished: averaging takes all of them."""
    there = {(record["condition"], record["seed"]) for record in records}
    asked = [name for name in frame.conditions if name in ENSEMBLES]
    seeds = {seed for seed in frame.seeds for name in asked if (name, seed) not in there}
    return {record["folder"] for record in records if record["condition"] == "baseline" and record["seed"] in seeds}


def _files(folder: Path, frame: Frame, records: Sequence[Record], answers: bool) -> Iterator[tuple[str, bytes]]:
    for name in OF_A_STUDY:
        if (folder / name).exists():
            yield name, (folder / name).read_bytes()
    lines = []
    for number, record in enumerate(records):
        scores = read_scores(folder, [record])
        assert isinstance(scores, Scores)
        items = Items(ids=scores.ids, groups=scores.groups, category=scores.category)
        if not number:
            yield ITEMS, _npz({"ids": items.ids, "groups": items.groups, "category": items.category})
        held = {ARCHIVED: np.array(items.digest)} | _scores(folder, frame, record, scores)
        content = _npz(held | (_answers(folder, record) if answers else {}))
        yield from _run(folder / record["folder"], record["folder"], content)
        lines.append(json.dumps({**record, "predictions": sha256(content).hexdigest()}, allow_nan=False) + "\n")
    yield FILE, "".join(lines).encode()


def _run(run: Path, name: str, predictions: bytes) -> Iterator[tuple[str, bytes]]:
    for file in OF_A_RUN:
        yield f"{name}/{file}", (run / file).read_bytes()
    if (run / LOG).exists():  # an ensemble keeps none
        yield f"{name}/{LOG}", (run / LOG).read_bytes()
    yield f"{name}/predictions.npz", predictions


def _scores(folder: Path, frame: Frame, record: Record, scores: Scores) -> dict[str, NDArray[Any]]:
    detailed = record["condition"] == frame.recipe.study.method
    reduced, detail = read_predictions(folder / record["folder"] / "predictions.npz", detail=detailed)
    run = scores.runs[record["condition"]][int(record["seed"])]
    return scored_arrays(run) | reduced_arrays(reduced, detail)


def _answers(folder: Path, record: Record) -> dict[str, NDArray[Any]]:
    """Of the test pictures that have a class."""
    _, _, logs = read_answers(folder, folder / record["folder"] / "predictions.npz")
    return {ANSWERS: logs.astype(np.float16)}


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """As ``np.savez_compressed``, without the date that this writes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, values in arrays.items():
            content = io.BytesIO()
            np.save(content, values, allow_pickle=False)
            file.writestr(_entry(f"{name}.npy"), content.getvalue())
    return held.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _write(path: Path, files: Iterator[tuple[str, bytes]]) -> None:
    """A file whole or not at all."""
    temporary = temporary_for(path)
    try:
        with zipfile.ZipFile(temporary, "x", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for name, content in files:
                packed.writestr(_entry(name), content, compresslevel=9)
        temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
