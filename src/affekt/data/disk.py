"""The disk: what goes wrong with it said in one line, files that are whole or absent, and their hashes."""

from __future__ import annotations

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from affekt.errors import DataError, UsageError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "no permission; choose another folder",
    errno.EPERM: "no permission; choose another folder",
}


def sha256(path: Path) -> str:
    """The hex digest of a file, which is read a piece at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def told(path: Path, doing: str) -> Iterator[None]:
    """Say a full, read-only or forbidden disk in one line: ``path: doing failed: the reason``.

    Raises:
        DataError: in the place of an OSError that has a number; others (a damaged stream) pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        reason = _REASONS.get(error.errno, error.strerror or str(error))
        raise DataError(f"{path}: {doing} failed: {reason}") from None


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; renamed to ``path`` when the block ends well, else removed.

    Its name is fixed, so that what a killed process left is written over by the next.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` to write into; renamed to ``folder`` when the block ends well, else removed.

    Raises:
        UsageError: ``folder`` is a file, or holds something: nothing is overwritten.
        DataError: a full, read-only or forbidden disk.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(f"{folder}: exists already and is not overwritten; give a new or an empty folder")
    temporary = folder.absolute().parent / f".{folder.name}-{uuid.uuid4().hex[:12]}"
    with told(folder, "writing"):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            if folder.is_dir():
                folder.rmdir()
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
