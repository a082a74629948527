"""Fetching: the files of a data set from several hashed sources, resumed where they broke off, or from a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from affekt.data import archives
from affekt.data.dataset import Description, Source
from affekt.data.disk import sha256, told, whole
from affekt.data.downloading import Patience, Progress, UnreachableError, download, matches
from affekt.errors import DataError, first


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a fetch did.

    Attributes:
        files: the data set's files, all of them whole and with the right hash.
        already: those that were there before.
        notes: addresses that failed, archives unpacked.
    """

    files: tuple[Path, ...]
    already: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def fetch(
    dataset: Description,
    root: Path,
    *,
    source: Path | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Fetched:
    """Bring every file of ``dataset`` into the folder ``root``, whole and verified, and unpack what is to be unpacked.

    A broken transfer leaves ``<file>.part`` and goes on from there next time, whichever address serves it.

    Args:
        source: a folder or file to take the files from instead of the network; for a set without public files, the
            archive that was sent.
        progress: called as bytes arrive.

    Raises:
        DataError: the set must be asked for; no address delivers; wrong content; a full or read-only disk.
    """
    progress, patience = progress or (lambda *_: None), patience or Patience()
    if not dataset.sources:
        return _by_hand(dataset, root, source)
    with told(root, f"fetching {dataset.name}"):
        root.mkdir(parents=True, exist_ok=True)
    done = Fetched(files=())
    for item in dataset.sources:
        path, notes = root / item.file, list[str]()
        there = path.is_file() and matches(path, item)
        if not there and source is not None:
            _copy(item, _offered(dataset, item, source), path, progress)
        elif not there:
            notes = _download(dataset, item, path, progress, patience)
        notes += _unpacked(item, root)
        already = (*done.already, path) if there else done.already
        done = replace(done, files=(*done.files, path), already=already, notes=(*done.notes, *notes))
    return done


def _by_hand(dataset: Description, root: Path, source: Path | None) -> Fetched:
    """A set without public files: unpack the archive that the user has got, or say how to get it."""
    if not dataset.needs_folder:
        raise DataError(f"{dataset.name}: nothing to fetch; it {dataset.layout}")
    if source is not None and source.is_file():
        return Fetched(files=archives.unpack(source, root), notes=(f"{source.name} unpacked; no published hash",))
    if source is not None and source.is_dir():
        raise DataError(f"{dataset.name}: {source} is unpacked already; name it as `root` in the recipe")
    if source is not None:
        raise DataError(f"{dataset.name}: --from {source}: no such file or folder")
    where = f"get it from {dataset.homepage}" if dataset.homepage.startswith("http") else dataset.homepage
    raise DataError(
        f"{dataset.name}: cannot be fetched ({dataset.licence}); {where or 'get it'}, then "
        f"`affekt data fetch {dataset.name} --from ARCHIVE`, or put it into {root}. "
        f"It must hold: {' '.join(dataset.layout.split())}"
    )


def _offered(dataset: Description, item: Source, source: Path) -> Path:
    """The file for ``item`` in the folder ``source``, or ``source`` itself."""
    if not source.exists():
        raise DataError(f"{dataset.name}: --from {source}: no such file or folder")
    found = [source] if source.is_file() else sorted(source.rglob(item.file))
    right = [path for path in found if path.is_file() and matches(path, item)]
    if right:
        return right[0]
    if not found:
        raise DataError(f"{dataset.name}: no {item.file} in {source}")
    raise DataError(
        f"{dataset.name}: {found[0]} is not the published {item.file}: {found[0].stat().st_size:,} bytes of "
        f"{item.size:,}, SHA-256 {sha256(found[0])[:12]}... where {item.sha256[:12]}... was expected"
    )


def _copy(item: Source, found: Path, path: Path, progress: Progress) -> None:
    with told(path, f"copying {item.file}"), whole(path) as temporary:
        shutil.copyfile(found, temporary)
    progress(item.file, item.size, item.size)


def _download(dataset: Description, item: Source, path: Path, progress: Progress, patience: Patience) -> list[str]:
    try:
        return download(item, path, progress=progress, patience=patience)
    except UnreachableError as error:
        raise DataError(
            f"{dataset.name}: {error}; get it from {dataset.homepage} and call "
            f"`affekt data fetch {dataset.name} --from FOLDER`"
        ) from None


def _unpacked(item: Source, root: Path) -> list[str]:
    """Unpack an archive unless what it holds is there.

    Raises:
        DataError: some of it is there: nothing is overwritten.
    """
    if item.unpack is None:
        return []
    archive, folder = root / item.file, root / item.unpack
    held = archives.names(archive)
    missing = [name for name in held if not (folder / name).is_file()]
    if not missing:
        return []
    tops = sorted({name.partition("/")[0] for name in held})
    if taken := [top for top in tops if (folder / top).exists()]:
        raise DataError(f"{folder / taken[0]}: {first(missing)} missing; remove the folder and fetch again")
    archives.unpack(archive, folder)
    return [f"{item.file} unpacked: {first(tops)}"]
