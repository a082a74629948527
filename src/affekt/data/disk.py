"""The disk: what goes wrong with it said in one line, and files that are whole or absent."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from affekt.errors import DataError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "no permission; choose another folder",
    errno.EPERM: "no permission; choose another folder",
}


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
