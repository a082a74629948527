"""Class folders of emotions: your own pictures, sorted into one folder an emotion."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from affekt.affect import canonical_category
from affekt.data.affective.emotions import in_order
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Ints, Labels, Stimuli, Strings
from affekt.data.targets.class_folders import ClassFolders, scan
from affekt.errors import DataError, UsageError, first
from affekt.recipe import DataSettings


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All pictures; splits are fixed where there are folders for them.

    Folders of two spellings of one emotion (``joy``, ``happy``) become one category.

    Raises:
        DataError: a folder whose name is no emotion, one without a picture, or what
            :func:`~affekt.data.targets.class_folders.scan` finds.
        UsageError: ``group`` is no regular expression, or a picture does not match it (DataError).
    """
    found = scan(root, "affective-folder")
    categories, category = _emotions(found, root)
    return Stimuli(
        name="affective-folder",
        ids=found.ids,
        pictures=FilePictures(found.paths, image_size=settings.image_size, fit=settings.fit),
        labels=Labels(categories=categories, category=category),
        groups=_groups(found.ids, option(settings, "group", str, "")),
        split=found.split,
        notes=found.notes,
    )


def _emotions(found: ClassFolders, root: Path) -> tuple[tuple[str, ...], Ints]:
    names: list[str] = []
    for folder in found.classes:
        try:
            names.append(canonical_category(folder))
        except UsageError as error:
            raise DataError(f"affective-folder: {root}: {error}") from None
    categories = in_order(names)
    index = np.array([categories.index(name) for name in names], dtype=np.int64)
    return categories, index[found.category]


def _groups(ids: Strings, pattern: str) -> Strings:
    """The part of each id that ``pattern`` (its first parenthesis, or all of it) finds; every picture without one."""
    if not pattern:
        return ids
    try:
        matches = [re.search(pattern, name) for name in ids.tolist()]
    except re.error as error:
        raise UsageError(f'affective-folder: option group = "{pattern}": no regular expression ({error})') from None
    without = [name for name, match in zip(ids.tolist(), matches, strict=True) if match is None]
    if without:
        raise DataError(
            f'affective-folder: group = "{pattern}" finds nothing in {len(without)} name(s): {first(without)}'
        )
    return np.array([match[match.re.groups and 1] for match in matches if match is not None])


DATASET = Dataset(
    name="affective-folder",
    title="Your own pictures in one folder an emotion",
    kind="affective",
    licence="your own",
    show_pictures=False,
    citation="your own",
    homepage="your own",
    labels=("category",),
    layout="<emotion>/*.jpg, or {train,validation,test}/<emotion>/*.jpg; emotions as in affekt.affect",
    options={
        "group": (
            'regular expression over "<folder>/<file>": what it finds (its first parenthesis) is the identity that '
            'stays in one split, e.g. "(subject[0-9]+)"; default: each picture is its own'
        )
    },
    read=read,
)
