"""Folders that are whole or absent, with a manifest of SHA-256 that names any file that was altered since.

A folder is filled beside its place, its manifest is written last, everything is flushed to disk, and one rename puts it
there. ``manifest.json`` has exactly one spelling and carries a digest of itself: a flipped byte in it is seen too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

from affekt.errors import CheckpointError, first

MANIFEST = "manifest.json"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path) -> None:
    """Write ``manifest.json``: size and SHA-256 of every file below ``folder``. Call it last."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {n: _entry(folder / n) for n in names if n != MANIFEST}
    (folder / MANIFEST).write_text(_spelled(files), encoding="utf-8")


def verify_manifest(folder: Path, *, may_differ: Collection[str] = ()) -> list[str]:
    """Check every file that the manifest lists against it; files it does not list are nobody's business.

    Args:
        folder: a folder with a ``manifest.json``.
        may_differ: files that people edit (a model card); where altered or gone they are returned, not refused.

    Raises:
        CheckpointError: no manifest, an altered manifest, or a missing, truncated or altered file, which is named.
    """
    files = _read_manifest(folder)
    faults = {name: fault for name, entry in files.items() if (fault := _fault(folder / name, entry))}
    damaged = [f"{name} ({fault})" for name, fault in faults.items() if name not in may_differ]
    if damaged:
        raise CheckpointError(f"{folder}: damaged: {first(damaged)}; use another copy")
    return sorted(faults)


def write_folder(folder: Path, fill: Callable[[Path], None], *, replace: bool = False) -> None:
    """Put a folder at its place as a whole: ``fill(temporary)``, manifest, flush, one rename.

    Args:
        folder: where it shall stand; its parents are made.
        fill: writes the files into the (empty) folder that it is given.
        replace: take the place of a folder of that name; otherwise an existing, non-empty one is refused.

    Raises:
        CheckpointError: the place is taken, the disk is full, no right to write. What was there before is intact.
    """
    folder = Path(folder)
    if not replace and folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise CheckpointError(f"{folder}: exists already and is not overwritten; choose another folder")
    try:
        temporary = _beside(folder)
        temporary.mkdir(parents=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        fill(temporary)
        write_manifest(temporary)
        _flush(temporary)
        _put(temporary, folder)
        _flush_path(folder.parent)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path) -> None:
    """Rename ``temporary`` to ``folder``; an older one steps aside first and is put back if that fails."""
    if not folder.exists():
        temporary.rename(folder)
        return
    aside = _beside(folder)
    folder.rename(aside)
    try:
        temporary.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _beside(folder: Path) -> Path:
    """A free, hidden name in the same folder, so that a rename from there stays on one file system."""
    return folder.parent / f".{folder.name}-{uuid.uuid4().hex[:12]}"


def _entry(path: Path) -> dict[str, str | int]:
    return {"bytes": path.stat().st_size, "sha256": file_digest(path)}


def _spelled(files: dict[str, dict[str, str | int]]) -> str:
    body = json.dumps({"files": files, "format": 1}, sort_keys=True)
    own = hashlib.sha256(body.encode()).hexdigest()
    return json.dumps({"files": files, "format": 1, "self": own}, sort_keys=True, indent=1) + "\n"


def _read_manifest(folder: Path) -> dict[str, dict[str, str | int]]:
    path = folder / MANIFEST
    if not path.is_file():
        raise CheckpointError(f"{folder}: no {MANIFEST}: not a folder that affekt saved, or one that was not finished")
    try:
        text = path.read_bytes().decode("utf-8")
        files: dict[str, dict[str, str | int]] = json.loads(text)["files"]
        whole = text == _spelled(files)
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise CheckpointError(f"{folder}: damaged: {MANIFEST} (altered); use another copy")
    return files


def _fault(path: Path, entry: dict[str, str | int]) -> str | None:
    if not path.is_file():
        return "missing"
    if path.stat().st_size != entry["bytes"]:
        return f"{path.stat().st_size:,} bytes instead of {entry['bytes']:,}"
    return None if file_digest(path) == entry["sha256"] else "altered"


def _cannot_write(folder: Path, error: OSError) -> CheckpointError:
    reason = error.strerror or str(error)
    return CheckpointError(f"{folder}: cannot be written: {reason}; free some space or choose another folder")


def _flush(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _flush_path(path)


def _flush_path(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
