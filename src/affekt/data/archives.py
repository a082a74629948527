"""Archives unpacked safely: nothing outside the folder, no links, no devices, no bombs, all of it or nothing.

Zip, tar (plain, gzip, bzip2, xz) and single files in gzip, bzip2 or xz. Declared sizes are not believed: bytes are
counted as they come out.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from affekt.data.disk import told
from affekt.errors import DataError

CHUNK = 2**20
_HEADER = 16 * CHUNK
"""Largest single read that is granted to ``tarfile``, which takes its extended headers in one piece."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an honest archive of pictures stays under.

    Attributes:
        files: number of entries.
        size: bytes in all, unpacked.
        ratio: unpacked by packed bytes; text reaches about 10, pictures 1, a bomb 1,000.
        free: bytes that any archive may unpack to, whatever its ratio.
    """

    files: int = 5_000_000
    size: int = 2**40
    ratio: float = 200.0
    free: int = 64 * 2**20

    def bytes_for(self, packed: int) -> int:
        """The number of bytes that an archive of ``packed`` bytes may unpack to."""
        return int(min(self.size, max(self.free, self.ratio * packed)))


@dataclass(frozen=True)
class _Entry:
    """One file or folder of an archive."""

    name: str
    folder: bool
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path,
    destination: Path,
    *,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Path, ...]:
    """Unpack ``archive`` into the folder ``destination``; the new top-level files and folders in it, sorted.

    The content appears by renaming when all of it is unpacked; an archive that is refused or damaged leaves nothing.
    ``progress`` is called with the number of bytes written since the last call.

    Raises:
        DataError: no archive, a damaged one, an entry that leaves the folder, a link or device, more than ``limits``,
            a name that is taken in ``destination``, a full or read-only disk.
    """
    limits = limits or Limits()
    made = not destination.exists()
    with told(destination, f"unpacking {archive.name}"):
        destination.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=destination))
    try:
        with told(destination, f"unpacking {archive.name}"), _damage(archive):
            _write(archive, temporary, limits, progress or (lambda _: None))
            return _move(temporary, destination, archive)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if made and not any(destination.iterdir()):
            destination.rmdir()


def names(archive: Path) -> tuple[str, ...]:
    """The files that unpacking would make, with slashes, in its order; the same refusals as :func:`unpack`."""
    with told(archive, "reading"), _damage(archive):
        return tuple(_safe(archive, e.name).as_posix() for e in _entries(archive, Limits()) if not e.folder)


def contents(archive: Path, wanted: Collection[str], *, limits: Limits | None = None) -> dict[str, bytes]:
    """The files ``wanted`` that are in the archive, by name, read without unpacking it; the same refusals.

    Raises:
        DataError: as :func:`unpack`.
    """
    limits, found, total = limits or Limits(), dict[str, bytes](), 0
    with told(archive, "reading"), _damage(archive):
        allowed = limits.bytes_for(archive.stat().st_size)
        for entry in _entries(archive, limits):
            name = _safe(archive, entry.name).as_posix()
            if entry.folder or name not in wanted:
                continue
            found[name] = _read(archive, entry, allowed - total)
            total += len(found[name])
            if len(found) == len(wanted):
                break
    return found


def _read(archive: Path, entry: _Entry, allowed: int) -> bytes:
    out = bytearray()
    with entry.open() as content:
        while chunk := content.read(CHUNK):
            out += chunk
            if len(out) > allowed:
                raise _bomb(archive, f"more than {allowed:,} bytes")
    return bytes(out)


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """Say a truncated or altered archive in one line."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError) as e:
        raise DataError(f"{archive.name}: damaged or truncated ({e}); delete it and fetch it again") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{archive.name}: damaged or truncated ({error}); delete it and fetch it again") from None


def _write(archive: Path, folder: Path, limits: Limits, progress: Callable[[int], None]) -> None:
    allowed, total = limits.bytes_for(archive.stat().st_size), 0
    for entry in _entries(archive, limits):
        path = folder / _safe(archive, entry.name)
        try:
            if entry.folder:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out, entry.open() as content:
                while chunk := content.read(CHUNK):
                    total += len(chunk)
                    if total > allowed:
                        raise _bomb(archive, f"more than {allowed:,} bytes")
                    out.write(chunk)
                    progress(len(chunk))
        except (FileExistsError, NotADirectoryError):
            raise DataError(f'{archive.name}: "{entry.name}" stands in it twice; not unpacked') from None


def _move(temporary: Path, destination: Path, archive: Path) -> tuple[Path, ...]:
    """Rename the unpacked entries into place; none when one of the names is taken."""
    found = sorted(temporary.iterdir())
    if not found:
        raise DataError(f"{archive.name}: nothing in it")
    taken = [p.name for p in found if (destination / p.name).exists()]
    if taken:
        raise DataError(f"{archive.name}: {destination / taken[0]} exists; move it away to unpack again")
    for path in found:
        path.rename(destination / path.name)
    return tuple(destination / p.name for p in found)


def _safe(archive: Path, name: str) -> PurePosixPath:
    """The name of an entry as a relative path that stays inside."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    outside = path.is_absolute() or ".." in path.parts or "\0" in name or (len(plain) > 1 and plain[1] == ":")
    if outside or not path.parts:
        raise DataError(f'{archive.name}: the entry "{name}" would be written outside its folder; not unpacked')
    return path


def _bomb(archive: Path, found: str) -> DataError:
    packed = archive.stat().st_size
    return DataError(
        f"{archive.name}: {found} in an archive of {packed:,} bytes; refused as a decompression bomb, not unpacked"
    )


def _entries(archive: Path, limits: Limits) -> Iterator[_Entry]:
    """The entries of an archive in their order, links and devices refused."""
    with archive.open("rb") as file:
        magic = file.read(6)
    if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        found = _zip_entries(archive)
    elif (opened := _opened(archive, magic)) is not None:
        found = _tar_or_single(archive, opened, limits)
    else:
        raise DataError(f"{archive.name}: not an archive; zip, tar, gz, bz2 and xz can be unpacked")
    for n, entry in enumerate(found, 1):
        if n > limits.files:
            raise _bomb(archive, f"more than {limits.files:,} entries")
        if entry.folder and not PurePosixPath(entry.name).parts:
            continue
        yield entry


def _opened(archive: Path, magic: bytes) -> IO[bytes] | None:
    """The decompressed stream of a tar or a single compressed file; None when it is neither."""
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(archive))
    if magic.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(archive))
    if magic == b"\xfd7zXZ\x00":
        return cast(IO[bytes], lzma.open(archive))
    return archive.open("rb") if tarfile.is_tarfile(archive) else None


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _not_a_file(archive, info.filename)
            if info.flag_bits & 1:
                raise DataError(f'{archive.name}: "{info.filename}" is encrypted; unpack it by hand')
            yield _Entry(info.filename, info.is_dir(), lambda info=info: zipped.open(info))  # type: ignore[misc]


def _not_a_file(archive: Path, name: str) -> DataError:
    return DataError(f'{archive.name}: the entry "{name}" is a link or a device; not unpacked')


def _tar_or_single(archive: Path, opened: IO[bytes], limits: Limits) -> Iterator[_Entry]:
    with opened:
        head = opened.read(tarfile.BLOCKSIZE)
        opened.seek(0)
        if not _is_tar(head) and not archive.name.lower().endswith((".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")):
            name = archive.stem if archive.suffix in (".gz", ".bz2", ".xz") else archive.name + ".unpacked"
            yield _Entry(name, False, lambda: opened)
            return
        bounded = _Bounded(archive, opened, limits.bytes_for(archive.stat().st_size) + _HEADER)
        yield from _tar_entries(archive, bounded)


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, tarfile.ENCODING, "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _tar_entries(archive: Path, stream: _Bounded) -> Iterator[_Entry]:
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as tar:
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # it would keep every header of a set of millions of files
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise _not_a_file(archive, member.name)
            yield _Entry(member.name, member.isdir(), lambda m=member: _content(tar, m))  # type: ignore[misc]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    assert content is not None  # only asked of regular files
    return content


class _Bounded:
    """A decompressed stream that ends in a refusal, not in a full memory or disk, when it grows beyond a limit."""

    def __init__(self, archive: Path, stream: IO[bytes], limit: int) -> None:
        self.archive, self.stream, self.limit = archive, stream, limit

    def read(self, n: int = -1) -> bytes:
        if n < 0 or n > _HEADER:
            raise _bomb(self.archive, f"a header of {n:,} bytes")
        return self._checked(self.stream.read(n))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if offset > self.limit:
            raise _bomb(self.archive, f"more than {self.limit:,} bytes")
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def _checked(self, data: bytes) -> bytes:
        if self.stream.tell() > self.limit:
            raise _bomb(self.archive, f"more than {self.limit:,} bytes")
        return data
