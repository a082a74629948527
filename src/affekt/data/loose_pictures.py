"""Loose pictures: those below a folder, however they are sorted; the folder that a picture lies in is its category."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.data.targets.class_folders import SUFFIXES
from affekt.errors import DataError


def read_loose(root: Path, *, image_size: int) -> Stimuli:
    """Every picture below ``root``, in order of its path; hidden files and folders are left out.

    Ids are paths below ``root`` with slashes. Pictures that lie in ``root`` itself have no category.

    Raises:
        DataError: no folder, or no picture in it.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give one with pictures in it")
    paths = sorted(_pictures(root))
    if not paths:
        raise DataError(f"{root}: no picture in this folder or below it")
    folders = [path.parent.name if path.parent != root else "" for path in paths]
    names = sorted(set(folders) - {""})
    category = np.array([names.index(folder) if folder else -1 for folder in folders], dtype=np.int64)
    ids = np.array([path.relative_to(root).as_posix() for path in paths])
    return Stimuli(
        name=root.name or "pictures",
        ids=ids,
        pictures=FilePictures(paths, image_size=image_size),
        labels=Labels(categories=tuple(names), category=category) if names else Labels(),
        groups=ids,
    )


def _pictures(root: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(root):
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        paths = (Path(parent, file) for file in files if not file.startswith("."))
        found += [path for path in paths if path.suffix.lower() in SUFFIXES]
    return found
