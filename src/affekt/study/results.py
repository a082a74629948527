"""Results: the line that each finished run of a study leaves in results.jsonl, with its predictions' hash."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affekt.errors import AffektError
from affekt.study.costs import Cost
from affekt.study.folder import RunFolder
from affekt.study.jobs import Job

FILE = "results.jsonl"
Record = dict[str, Any]


def record_of(study: Path, job: Job, cost: Cost | None) -> Record:
    """A finished run's line: whose it is, what it scored on test, what it cost, and the hash of its predictions."""
    folder = study / job.folder
    result = RunFolder(folder).result()
    assert result is not None
    return {
        "condition": job.name,
        "seed": job.seed,
        "folder": job.folder,
        "predictions": hash_of(folder / "predictions.npz"),
        "metrics": result["metrics"],
        "parameters": result["parameters"],
        "flops": None if cost is None else {k: v for k, v in asdict(cost).items() if k in ("training", "pretraining")},
        "seconds": training_seconds(folder, [study / member for member in job.members] or folds_of(folder)),
        "permuted": job.recipe.regulation.permute_affect and job.recipe.model.kind == "regulated",
        "n": result["n"],
        "epochs": result["epochs"],
        "notes": result["notes"],
    }


def folds_of(folder: Path) -> list[Path]:
    """The folders of a run's folds; none of a run of one split."""
    return sorted((folder / "folds").glob("fold-*"))


def training_seconds(folder: Path, members: list[Path]) -> float | None:
    """Seconds of training, interrupted sessions and members (of an ensemble, folds) added up; None without a clock."""
    if members:
        found = [training_seconds(member, []) for member in members]
        return None if None in found else round(sum(s for s in found if s is not None), 1)
    timing = folder / "timing.jsonl"
    if not timing.exists():
        return None
    total = last = 0.0
    for text in timing.read_text(encoding="utf-8").splitlines():
        line = _parsed(text)
        if line is None or "seconds" not in line:
            continue
        if line["kind"] == "start":
            total, last = total + last, 0.0
        last = float(line["seconds"])
    return round(total + last, 1)


def hash_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        AffektError: it is not there.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise AffektError(f"{path}: missing; delete the folder of that run, and the study trains it anew") from None


def check_predictions(path: Path, digest: str) -> None:
    """
    Raises:
        AffektError: predictions that are missing, or were altered since the run was finished.
    """
    if hash_of(path) != digest:
        raise AffektError(
            f"{path}: altered since the run was finished (its hash differs from that in results.jsonl); delete the "
            "folder of that run, and the study trains it anew"
        )


def append(study: Path, record: Record) -> None:
    """Add a line; of several writers, each line stays whole. A file that ends in a cut line gets a new line first."""
    path = study / FILE
    line = json.dumps(record, allow_nan=False) + "\n"
    try:
        cut = path.exists() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
        with path.open("ab") as file:
            file.write((("\n" if cut else "") + line).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None


def read(study: Path) -> tuple[list[Record], list[str]]:
    """The whole lines, of each run the last, and what to say of lines that are not whole."""
    path = study / FILE
    found: dict[str, Record] = {}
    said = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        record = _parsed(line) if line.strip() else {}
        if record is None or (record and not record.keys() >= {"condition", "seed", "folder", "predictions"}):
            said.append(f"{FILE}, line {number}: cut or damaged, not counted")
        elif record:
            found[str(record["folder"])] = record
    return list(found.values()), said


def _parsed(line: str) -> Record | None:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
