"""``pack``: a data set by name, read from a pack of pictures that ``affekt data pack`` made of another set."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.dataset import Dataset
from affekt.data.description import Description
from affekt.data.packs.columns import COLUMNS, labels_from, read_arrays
from affekt.data.packs.files import MANIFEST, altered, cut_short, damaged, read_manifest
from affekt.data.packs.pictures import PICTURES, PackedPictures
from affekt.data.packs.remaking import anew
from affekt.data.stimuli import Stimuli
from affekt.errors import UsageError, first
from affekt.recipe import DataSettings

FORMAT = 1

DESCRIBED = (
    "name", "title", "kind", "licence", "show_pictures", "citation", "homepage", "labels", "categories", "layout",
)  # fmt: skip
"""What a pack keeps of the description of the set that it was made of."""


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All pictures with labels, groups, splits and notes as the set had them when it was packed.

    Raises:
        DataError: no pack, one of another version, or files that are missing, cut short or altered (of the pictures,
            their size alone is looked at here; each is compared with its checksum when it is first read).
        UsageError: pixels that were fitted in another way than is asked.
    """
    manifest = read_manifest(root, of="pictures", version=FORMAT)
    files = manifest["files"]
    wrong = cut_short(root, files) or altered(root, {COLUMNS: files[COLUMNS]})
    if wrong:
        raise damaged(root, wrong)
    side, fit = manifest["image_size"], manifest["fit"]
    if fit not in (None, settings.fit):
        raise UsageError(
            f'{root}: packed with fit = "{fit}", "{settings.fit}" is asked; pack it anew, or write "{fit}"'
        )
    arrays, names = read_arrays(root / COLUMNS), manifest["stimuli"]
    notes = tuple(names["notes"])
    if side not in (None, settings.image_size):
        size = settings.image_size
        notes += (
            f"{root.name}: packed as {side} x {side} pixels, resized to {size} x {size}; files would give others",
        )
    return Stimuli(
        name=names["name"],
        ids=arrays["ids"],
        pictures=PackedPictures(
            root,
            np.arange(len(arrays["ids"]), dtype=np.int64),
            side=side,
            image_size=settings.image_size,
            fit=settings.fit,
            size=files[PICTURES]["bytes"],
        ),
        labels=labels_from(arrays, names),
        groups=arrays["groups"],
        split=arrays.get("split"),
        notes=notes,
        missing=names["missing"],
    )


def packed_set(root: Path) -> Description:
    """The description of the set that a pack was made of.

    Raises:
        DataError: as :func:`read`.
    """
    kept: Mapping[str, Any] = read_manifest(root, of="pictures", version=FORMAT)["set"]
    texts = {f.name: kept[f.name] for f in fields(Description) if f.name in kept}
    return Description(**{**texts, "labels": tuple(kept["labels"]), "categories": tuple(kept["categories"])})


def verify_pictures(folder: Path | str) -> tuple[str, ...]:
    """A line for each file of a pack that is missing, cut short or altered, with the pictures that are hit; every byte
    is read, a piece at a time.

    Raises:
        DataError: no pack, or one whose ``pack.json`` cannot be trusted.
    """
    folder = Path(folder).expanduser()
    files = read_manifest(folder, of="pictures", version=FORMAT)["files"]
    lines = [f"{folder / name}; {anew(folder)}" for name in cut_short(folder, files)]
    if lines:
        return tuple(lines)
    wrong = altered(folder, files)
    for name in wrong:
        hit = _hit(folder) if name == PICTURES and COLUMNS not in wrong else []
        which = f" ({len(hit)} picture(s): {first(hit)})" if hit else ""
        lines.append(f"{folder / name}: altered{which}; {anew(folder)}")
    return tuple(lines)


def _hit(folder: Path) -> list[str]:
    """Ids of pictures whose bytes do not have the checksum that they were packed with."""
    arrays = read_arrays(folder / COLUMNS, "ids", "starts", "crc")
    found = list[str]()
    with (folder / PICTURES).open("rb") as file:
        for name, size, crc in zip(arrays["ids"], np.diff(arrays["starts"]).tolist(), arrays["crc"], strict=True):
            if zlib.crc32(file.read(size)) != crc:
                found.append(str(name))
    return found


DATASET = Dataset(
    name="pack",
    title="Pictures of any set, packed into one file",
    kind="pack",
    licence="that of the set that was packed",
    show_pictures=False,
    citation="that of the set that was packed",
    homepage="made with: affekt data pack",
    labels=("those of the set that was packed",),
    layout=f"{MANIFEST}, {COLUMNS} and {PICTURES}, as affekt data pack writes them",
    read=read,
)
