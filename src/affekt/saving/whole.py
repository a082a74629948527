"""Files that are there whole or not at all, and folders in which one process works at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from affekt.errors import AffektError


class Busy(AffektError):  # noqa: N818 - reads as what it is
    """Another process is at work in a folder."""


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        AffektError: the folder cannot be written, or the disk is full.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """As :func:`write_text`."""
    # Of this process alone: two commands may begin one study at the same moment.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A block in which no other process of this machine works in ``folder``; also ``kill -9`` ends it.

    The lock lies in the system's folder for temporary files, named after this one, so that a folder that is refused
    stays as it was. Systems without ``fcntl`` do without.

    Raises:
        Busy: another process is at work here.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    digest = hashlib.sha256(f"{os.getuid()} {folder.resolve()}".encode()).hexdigest()[:24]
    with (Path(tempfile.gettempdir()) / f"affekt-{digest}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(
                f"{folder}: another affekt is at work in this folder; wait for it, or give another with --out"
            ) from None
        yield
