"""One's own pictures as a target: one folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Labels, Stimuli, Strings
from affekt.data.targets.class_folders import ClassFolders, scan
from affekt.recipe import DataSettings


def _read(root: Path, settings: DataSettings) -> Stimuli:
    group_by = option(settings, "group", str, "item", choices=("item", "folder"))
    found = scan(root, root.name or "folder")
    return Stimuli(
        name=root.name or "folder",
        ids=found.ids,
        pictures=FilePictures(found.paths, image_size=settings.image_size, fit=settings.fit),
        labels=Labels(categories=found.classes, category=found.category),
        groups=found.ids if group_by == "item" else _folders(found),
        split=found.split,
        notes=found.notes,
    )


def _folders(found: ClassFolders) -> Strings:
    """The folder each picture lies in: pictures of one identity may share one within their class folder."""
    return np.array([name.rpartition("/")[0] for name in found.ids.tolist()])


DATASET = Dataset(
    name="folder",
    title="Your own pictures, one folder a class",
    kind="target",
    licence="yours",
    show_pictures=True,
    citation="",
    homepage="",
    labels=("category",),
    layout="<class>/*.jpg for each class, or {train,validation,test}/<class>/*.jpg",
    options={"group": "item: each picture for itself (default); folder: pictures of one folder stay in one split"},
    read=_read,
)
