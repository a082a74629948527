"""Pictures in one folder a class, with or without folders for train, validation and test above them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affekt.data.stimuli import Ints, Strings
from affekt.errors import DataError, first, unknown

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".jp2", ".tga"}
    | {".ppm", ".pgm", ".pbm", ".pnm"}
)
"""File name endings, in lower case, that are taken for pictures."""

_SPLITS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClassFolders:
    """What a scan found: N pictures in the order of their paths.

    Attributes:
        paths: N files.
        ids: ``(N,)`` path of each below the root, with slashes.
        classes: K folder names, sorted.
        category: ``(N,)`` int64 index into ``classes``.
        split: ``(N,)`` ``"train"``, ``"validation"`` or ``"test"``; None without such folders.
        notes: what was left out.
    """

    paths: list[Path]
    ids: Strings
    classes: tuple[str, ...]
    category: Ints
    split: Strings | None
    notes: tuple[str, ...]


def scan(root: Path, name: str, classes: tuple[str, ...] = ()) -> ClassFolders:
    """Find the pictures of class folders below ``root``, in folders within them too; hidden files are ignored.

    Args:
        root: ``<class>/*.jpg``, or ``{train,validation,test}/<class>/*.jpg`` (``val``, ``valid``, ``training`` and
            ``testing`` are understood).
        name: the data set, for messages.
        classes: the classes that there must be, in their order; empty: the folders that there are.

    Raises:
        DataError: no class folders, a class folder without a picture, a class that stands in one split folder only
            in test, two folders for one split, or other classes than asked for.
    """
    if not root.is_dir():
        raise DataError(f"{name}: {root} is no folder; give the folder that holds one folder a class")
    tops = _split_folders(root, name)
    found = {split: _classes_in(folder, name) for split, folder in tops.items()}
    known = classes or tuple(sorted(next(iter(found.values()))))
    _check_classes(found, known, name, fixed=bool(classes))
    rows, others = [], 0
    for split, folders in found.items():
        for label in known:
            if label in folders:
                pictures, strays = _pictures(folders[label], name)
                others += strays
                rows += [(path, known.index(label), split) for path in pictures]
    paths = [path for path, _, _ in rows]
    return ClassFolders(
        paths=paths,
        ids=np.array([path.relative_to(root).as_posix() for path in paths]),
        classes=known,
        category=np.array([label for _, label, _ in rows], dtype=np.int64),
        split=None if "" in tops else np.array([split for _, _, split in rows]),
        notes=tuple(_notes(tops, found, known, others)),
    )


def _split_folders(root: Path, name: str) -> dict[str, Path]:
    """Split -> its folder; ``{"": root}`` when ``root`` holds the classes themselves."""
    tops: dict[str, Path] = {}
    for folder in _folders(root):
        split = _SPLITS.get(folder.name.lower())
        # A folder named like a split that holds pictures itself is a class: trains are vehicles.
        if split is None or any(map(_is_picture, folder.iterdir())):
            continue
        if split in tops:
            raise DataError(f"{name}: {tops[split]} and {folder} are both the {split} split; keep one of them")
        tops[split] = folder
    if not tops:
        return {"": root}
    if "train" not in tops:
        raise DataError(f"{name}: {root} has {first(f.name for f in tops.values())} but no train folder beside it")
    return {split: tops[split] for split in ("train", "validation", "test") if split in tops}


def _classes_in(folder: Path, name: str) -> dict[str, Path]:
    folders = {f.name: f for f in _folders(folder)}
    if not folders:
        loose = sum(map(_is_picture, folder.iterdir()))
        found = f"{loose} pictures but no class folders" if loose else "no folders"
        raise DataError(
            f"{name}: {folder} holds {found}; put the pictures of each class into a folder of the class's name, "
            "e.g. cat/1.jpg, dog/1.jpg, or train/cat/1.jpg, test/cat/2.jpg"
        )
    return folders


def _check_classes(found: dict[str, dict[str, Path]], known: tuple[str, ...], name: str, *, fixed: bool) -> None:
    for folders in found.values():
        for label, folder in folders.items():
            if label not in known:
                where = "these are its classes" if fixed else "the train folder has no such class"
                every = f"{len(known)} classes" if len(known) > 20 else None
                wrong = unknown(f"{name}: class folder", label, known, everything=every)
                raise DataError(f"{wrong} ({folder}: {where})")
    missing = [label for label in known if label not in next(iter(found.values()))]
    if missing:
        raise DataError(f"{name}: no folder for the class {first(missing)} in {_parent(found)}")
    if len(known) < 2:
        raise DataError(f'{name}: one class only, "{known[0]}"; a classifier needs two class folders or more')


def _parent(found: dict[str, dict[str, Path]]) -> Path:
    return next(iter(next(iter(found.values())).values())).parent


def _pictures(folder: Path, name: str) -> tuple[list[Path], int]:
    """The pictures below a class folder, sorted, and the number of other files.

    Raises:
        DataError: there is none.
    """
    pictures, others = [], 0
    for path in _files(folder):
        if path.suffix.lower() in SUFFIXES:
            pictures.append(path)
        else:
            others += 1
    if not pictures:
        found = f"{others} other files" if others else "nothing"
        raise DataError(f"{name}: no picture in the class folder {folder}, {found} there; fill it or remove it")
    return sorted(pictures), others


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(parent, file) for file in files if not file.startswith("."))


def _folders(folder: Path) -> list[Path]:
    found = (Path(e.path) for e in os.scandir(folder) if e.is_dir() and not e.name.startswith((".", "__MACOSX")))
    return sorted(found)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _notes(
    tops: dict[str, Path], found: dict[str, dict[str, Path]], known: tuple[str, ...], others: int
) -> Iterator[str]:
    if others:
        yield f"{others:,} files in class folders are no pictures by their names, left out"
    for folder in tops.values():
        if loose := sum(map(_is_picture, folder.iterdir())):
            yield f"{loose:,} pictures beside the class folders of {folder.name or 'the root'}, left out"
    for split, folders in found.items():
        if absent := [label for label in known if label not in folders]:
            yield f"{split}: no folder for {first(absent)}"
