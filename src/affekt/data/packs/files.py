"""The files of a pack, of pictures or of clips: whole or absent, hashed as they are written, named in ``pack.json``.

``pack.json`` is written last and carries a digest of itself, so that an altered label is seen like an altered pixel.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from affekt.data.disk import sha256, whole
from affekt.data.packs.remaking import anew
from affekt.errors import DataError, first

MANIFEST = "pack.json"
BEGUN = "packing.json"
"""What a pack of clips that is not finished holds in the place of ``pack.json``."""

DIGEST = "digest"
"""Where ``pack.json`` has its own."""

_USE = {"clips": '[clips] pack = "{0}"', "pictures": '[target] or [affective] name = "pack", root = "{0}"'}


class HashedWriter:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def entry(self) -> dict[str, Any]:
        """``{"bytes", "sha256"}``, as ``pack.json`` has it."""
        return {"bytes": self.size, "sha256": self._digest.hexdigest()}


@contextmanager
def hashed(path: Path) -> Iterator[HashedWriter]:
    """A writer to a temporary file that takes the name ``path`` when the block ends well and its bytes are on disk."""
    with whole(path) as temporary, temporary.open("wb") as file:
        yield HashedWriter(file)
        file.flush()
        os.fsync(file.fileno())


def cut_short(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The files that are missing or have another size than their entry says, each with how it is."""
    found = list[str]()
    for name, entry in files.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size is None:
            found.append(f"{name} (missing)")
        elif size != entry["bytes"]:
            found.append(f"{name} ({size:,} of {entry['bytes']:,} bytes)")
    return found


def altered(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The files that are missing or do not have the hash that their entry says; every byte is read."""
    return [n for n, e in files.items() if not (folder / n).is_file() or sha256(folder / n) != e["sha256"]]


def damaged(folder: Path, names: list[str]) -> DataError:
    """The error for files that are missing, cut short or altered: how many, the first, what to do."""
    return DataError(f"{folder}: {len(names)} file(s) missing or altered: {first(names)}; {anew(folder)}")


def write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``pack.json``, whole or not at all; call it when every other file is there."""
    text = json.dumps({**record, DIGEST: _digest(record)}) + "\n"
    with hashed(folder / MANIFEST) as file:
        file.write(text.encode())


def read_manifest(folder: Path, *, of: str, version: int) -> dict[str, Any]:
    """What :func:`write_manifest` wrote.

    Args:
        of: ``"pictures"`` or ``"clips"``, what is wanted.
        version: of the format that the caller reads.

    Raises:
        DataError: no pack, one that was not finished, of another version or of something else, or cut short or altered.
    """
    path = folder / MANIFEST
    if not path.is_file():
        begun = " (one was begun: the same command goes on)" if (folder / BEGUN).is_file() else ""
        raise DataError(f"{folder}: no pack{begun}; make one: affekt data pack NAME --out {folder}")
    found = _parsed(path, version)
    if found.get("of", "clips") != of:
        use = _USE.get(str(found.get("of", "clips")), "").format(folder)
        raise DataError(f"{folder}: a pack of {found.get('of', 'clips')}, not of {of}; use it as {use}")
    if found["format"] != version:
        raise DataError(
            f"{path}: a pack of version {found['format']}, version {version} can be read; make it anew with "
            "affekt data pack, or use the affekt that made it"
        )
    return found


def kind_of_pack(folder: Path) -> str | None:
    """``"pictures"`` or ``"clips"``; None where there is no pack whose ``pack.json`` can be read."""
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("of", "clips"))
    except (OSError, ValueError, AttributeError):
        return None


def _parsed(path: Path, version: int) -> dict[str, Any]:
    """
    Raises:
        DataError: not JSON, not ours, or altered since it was written.
    """
    wrong = DataError(f"{path}: cut short or altered; {anew(path.parent)}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise wrong from None
    if not isinstance(found, dict) or "format" not in found:
        raise wrong
    stated = found.pop(DIGEST, None)
    # Another version may have another way to say its digest; its number is what to tell.
    if stated is not None and found["format"] == version and stated != _digest(found):
        raise wrong
    return found


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
