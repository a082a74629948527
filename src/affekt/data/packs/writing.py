"""Packing pictures: a set written into one file, picture after picture; the folder is there whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from affekt.data.decoding import default_workers, mapped, read_array
from affekt.data.description import Description
from affekt.data.disk import sha256, whole_folder
from affekt.data.packs.columns import COLUMNS, Arrays, arrays_of, names_of
from affekt.data.packs.files import hashed, write_manifest
from affekt.data.packs.pictures import PICTURES, PackedPictures
from affekt.data.packs.reading import DESCRIBED, FORMAT
from affekt.data.pictures import FilePictures, read_picture
from affekt.data.stimuli import Pictures, Stimuli
from affekt.errors import DataError, UsageError, unknown
from affekt.saving.whole import locked

Progress = Callable[[str, int, int], None]
"""Called with (what, pictures done, pictures in all)."""

How = Literal["bytes", "pixels"]

_LOOK = 8  # pixels: a file whose picture is only looked at to see that it decodes
_SPARE = 2**16  # bytes: pack.json and the directory of the columns


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was done.

    Attributes:
        folder: of the pack.
        how: ``"bytes"`` or ``"pixels"``.
        pictures: number of those in it.
        size: bytes of all its files.
        problems: a line for each picture that cannot be read and is left out.
    """

    folder: Path
    how: How
    pictures: int
    size: int
    problems: tuple[str, ...]


def pack_pictures(
    stimuli: Stimuli,
    folder: Path | str,
    *,
    how: How,
    described: Description,
    options: Mapping[str, Any] | None = None,
    limit: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Packed:
    """Pack ``stimuli`` into ``folder``, which is there when all of it is written.

    Memory holds labels and the pictures that the workers are at, however long the set is; what is written does not
    depend on the number of workers.

    Args:
        stimuli: with pictures of the size and fit that ``how = "pixels"`` stores.
        how: ``"pixels"``: decoded; ``"bytes"``: the bytes of the files as they are, each looked at whether it decodes.
        described: what the set is; licence and citation go into the pack.
        options: of its reader, for the record.
        limit: how many of the set were drawn, for the record; None: all.
        workers: threads that read and decode; None: by cores; 0: none.

    Raises:
        UsageError: the folder holds something, or bytes of pictures that are in no files.
        DataError: no picture can be read; a disk that is full, or would be; a read-only one.
        Busy: another process is packing into this folder.
    """
    folder = Path(folder).expanduser()
    item, expected = _items(stimuli, how)
    arrays = arrays_of(stimuli)
    needed = expected + sum(values.nbytes for values in arrays.values()) + 12 * len(stimuli) + _SPARE
    with locked(folder):
        _remove_left(folder)
        _check_room(folder, needed)
        with whole_folder(folder) as temporary, _told_room(folder, needed):
            written = _write(temporary, len(stimuli), item, workers, progress or (lambda *_: None))
            if not len(written.kept):
                raise DataError(f"{stimuli.name}: none of {len(stimuli)} pictures can be read: {written.problems[0]}")
            record = _record(_without(stimuli, written), how, described, options or {})
            record |= {} if limit is None else {"limit": limit}
            files = {PICTURES: written.entry, COLUMNS: _write_columns(temporary, arrays, written)}
            write_manifest(temporary, {**record, "files": files})
            size = sum(path.stat().st_size for path in temporary.iterdir())
    return Packed(folder=folder, how=how, pictures=len(written.kept), size=size, problems=written.problems)


Item = Callable[[int], bytes]


def _items(stimuli: Stimuli, how: How) -> tuple[Item, int]:
    """What is stored of picture i, and the bytes of all of them.

    Raises:
        UsageError: another way, or bytes of pictures that are in no files.
    """
    if how not in ("bytes", "pixels"):
        raise UsageError(unknown("pack as", how, ("bytes", "pixels")))
    pictures, ids = stimuli.pictures, stimuli.ids
    if how == "pixels":
        return lambda i: _pixels(pictures, i), len(stimuli) * 3 * _side(stimuli) ** 2
    if isinstance(pictures, FilePictures):
        paths = pictures.paths
        return lambda i: _looked_at(Path(paths[i]).read_bytes, str(paths[i])), sum(map(_size, paths))
    if isinstance(pictures, PackedPictures) and pictures.side is None:
        return lambda i: _looked_at(lambda: pictures.raw(np.array([i]))[0], str(ids[i])), pictures.stored
    raise UsageError(f"{stimuli.name}: its pictures do not come as files, there are no bytes to keep; pack as pixels")


def _side(stimuli: Stimuli) -> int:
    """The side of the squares that are read, pixels; of files none is read to know it, since it may not decode.

    Raises:
        DataError: pictures that are no squares.
    """
    if isinstance(stimuli.pictures, FilePictures | PackedPictures):
        return stimuli.pictures.image_size
    height, width = read_array(stimuli.pictures, np.zeros(1, dtype=np.int64)).shape[2:]
    if height != width:
        raise DataError(f"{stimuli.name}: pictures of {height} x {width} pixels; squares are packed")
    return int(width)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _pixels(pictures: Pictures, index: int) -> bytes:
    return np.ascontiguousarray(read_array(pictures, np.array([index], dtype=np.int64))).tobytes()


def _looked_at(read: Callable[[], bytes], name: str) -> bytes:
    """
    Raises:
        DataError: missing, or it does not decode as a picture.
    """
    try:
        data = read()
    except OSError as error:
        raise DataError(f"{name}: {error.strerror or error}") from None
    read_picture(data, image_size=_LOOK, name=name)
    return data


# ------------------------------------------------------------------------------------------------ writing


@dataclass(frozen=True, kw_only=True)
class _Written:
    """``pictures.bin`` as it was written: rows of the set that are in it, where each begins, checksums, its hash."""

    kept: NDArray[np.int64]
    starts: NDArray[np.int64]
    crc: NDArray[np.uint32]
    entry: Mapping[str, Any]
    problems: tuple[str, ...]


def _write(folder: Path, n: int, item: Item, workers: int | None, progress: Progress) -> _Written:
    workers = default_workers() if workers is None else workers
    kept, sizes, crc, problems = list[int](), list[int](), list[int](), list[str]()
    read = mapped(lambda i: _or_say(item, i), range(n), workers, 2 * workers)
    with hashed(folder / PICTURES) as out, closing(read):
        for index, found in enumerate(read):
            if isinstance(found, str):
                problems.append(found)
            else:
                out.write(found)
                kept.append(index)
                sizes.append(len(found))
                crc.append(zlib.crc32(found))
            if (index + 1) % 100 == 0 or index + 1 == n:
                progress("pictures", index + 1, n)
    return _Written(
        kept=np.array(kept, dtype=np.int64),
        starts=np.cumsum([0, *sizes], dtype=np.int64),
        crc=np.array(crc, dtype=np.uint32),
        entry=out.entry(),
        problems=tuple(problems),
    )


def _or_say(item: Item, index: int) -> bytes | str:
    """What is stored of a picture, or the line that says why it cannot be read."""
    try:
        return item(index)
    except DataError as error:
        return str(error)


def _write_columns(folder: Path, arrays: Arrays, written: _Written) -> dict[str, Any]:
    """Write ``columns.npz``, rows of pictures that are left out without; returns its entry."""
    rows = {name: values[written.kept] for name, values in arrays.items()}
    path = folder / COLUMNS
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, starts=written.starts, crc=written.crc, **cast(Any, rows))
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _record(stimuli: Stimuli, how: How, described: Description, options: Mapping[str, Any]) -> dict[str, Any]:
    pixels = how == "pixels"
    return {
        "format": FORMAT,
        "of": "pictures",
        "as": how,
        "image_size": _side(stimuli) if pixels else None,
        "fit": getattr(stimuli.pictures, "fit", None) if pixels else None,
        "set": {name: getattr(described, name) for name in DESCRIBED},
        "options": dict(options),
        "stimuli": names_of(stimuli),
    }


def _without(stimuli: Stimuli, written: _Written) -> Stimuli:
    """The stimuli less those that could not be read, which count as missing."""
    lost = len(written.problems)
    if not lost:
        return stimuli
    note = f"{stimuli.name}: {lost} pictures could not be read when they were packed, left out"
    kept = stimuli.take(written.kept)
    return replace(kept, notes=(*kept.notes, note), missing=stimuli.missing + lost)


# ------------------------------------------------------------------------------------------------ the disk


def _check_room(folder: Path, needed: int) -> None:
    """
    Raises:
        DataError: less is free than the pack takes.
    """
    there = next(parent for parent in folder.absolute().parents if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DataError(
            f"{folder}: the pack takes {needed:,} bytes and {free:,} are free there; free some space or choose "
            "another folder"
        )


@contextmanager
def _told_room(folder: Path, needed: int) -> Iterator[None]:
    """Say how much is needed where the disk fills up (others write there, too)."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(
            f"{folder}: packing failed: the disk is full; the pack takes {needed:,} bytes: free some space or choose "
            "another folder"
        ) from None


def _remove_left(folder: Path) -> None:
    """Remove what killed processes left beside ``folder``; call it when no other works there."""
    parent, left = folder.absolute().parent, re.compile(rf"\.{re.escape(folder.name)}-[0-9a-f]{{12}}")
    for path in parent.iterdir() if parent.is_dir() else ():
        if left.fullmatch(path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
