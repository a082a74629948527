"""Files that are there whole or not at all, and folders in which one process works at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    try:
        _written(temporary := temporary_for(path), content)
        temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None


def write_first(path: Path, text: str) -> bool:
    """Write a file whole, unless there is one: of several processes, also on several machines, one does. Whether it was
    this one.

    Raises:
        AffektError: as :func:`write_text`.
    """
    temporary = temporary_for(path)
    try:
        _written(temporary, text.encode())
        if path.exists():
            return False
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links: two that begin within this moment are told apart no more
            temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def temporary_for(path: Path) -> Path:
    """A name beside a file for what is to become it. Of this call alone: two commands may begin or end one study at the
    same moment, and processes of two machines may have one number."""
    return path.with_name(f"{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")


def _written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A block in which no other process of this machine works in ``folder``; also ``kill -9`` ends it.

    The lock lies in the system's folder for temporary files, named after this one, so that a folder that is refused
    stays as it was. Systems without ``fcntl`` do without. For folders that machines share, or processes with temporary
    folders of their own, see :func:`affekt.saving.claims.claimed`.

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
