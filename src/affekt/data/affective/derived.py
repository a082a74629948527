"""Derived sets: pictures re-made from those of a source set, with the labels of their sources (Diffused-EMOd)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from affekt.data.affective.columns import read_columns
from affekt.data.affective.files import check_unique, present
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Ints, Stimuli
from affekt.errors import DataError, UsageError, first
from affekt.recipe import DataSettings
from affekt.recipe.settings import Value

_TABLE, _RECORD = "derived.csv", "derived.json"


def read(root: Path, settings: DataSettings) -> Stimuli:
    """The derived pictures; labels, groups and fixed splits are those of their sources.

    So a derived picture never stands in another split than its siblings, and for a set whose groups are wider than one
    picture (OASIS: themes), than theirs.

    Raises:
        DataError: table, pictures or source set missing, source ids that the source set does not have.
        UsageError: a source that is no affective set, or options that it does not have.
    """
    columns = read_columns(root / _TABLE)
    images = columns.text(columns.require("image"))
    check_unique(_TABLE, images)
    for image in images:
        if ".." in PurePosixPath(image).parts or PurePosixPath(image).is_absolute():
            raise DataError(f'{_TABLE}: "{image}" leads out of the set; write a path below its folder')
    source = _source(root, settings)
    known, rows, notes = _sources(columns.text(columns.require("source_id")), source, settings)
    names = [images[row] for row in known]
    paths = [root / name for name in names]
    found = present("derived", paths, names, settings)
    rows = rows[found.rows]
    return Stimuli(
        name="derived",
        ids=np.array(names)[found.rows],
        pictures=FilePictures([paths[row] for row in found.rows], image_size=settings.image_size, fit=settings.fit),
        labels=source.labels.take(rows),
        groups=source.groups[rows],
        split=None if source.split is None else source.split[rows],
        notes=(*(f"source {note}" for note in source.notes), *notes, *found.notes),
        missing=found.missing + len(images) - len(known),
    )


def _source(root: Path, settings: DataSettings) -> Stimuli:
    """The whole source set, from ``source_root`` or the folder of its name beside this one."""
    from affekt.data import dataset

    name = option(settings, "source", str, "") or _recorded(root) or "emod"
    source = dataset(name)
    if source.kind != "affective" or source.name == "derived":
        raise UsageError(f'derived: option source = "{name}": no source of affect labels; write an affective set')
    given = option(settings, "source_root", str, "")
    folder = Path(given).expanduser() if given else root.parent / source.name
    options = _options(option(settings, "source_options", tuple, ()))
    return source.stimuli(folder, replace(settings, name=source.name, root=str(folder), options=options))


def _recorded(root: Path) -> str:
    """The source set that the record of a set made by ``affekt data diffuse`` names; ``""`` without one."""
    try:
        found = json.loads((root / _RECORD).read_text(encoding="utf-8"))
        return str(found.get("source", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _options(pairs: tuple[str, ...]) -> dict[str, Value]:
    """``["scale=1-9", "annotations=true"]`` -> options; the right side is TOML, a bare word a string."""
    found: dict[str, Value] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f'derived: option source_options: "{pair}": write name=value')
        try:
            read = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            read = value.strip()
        found[key.strip()] = tuple(read) if isinstance(read, list) else read
    return found


def _sources(ids: list[str], source: Stimuli, settings: DataSettings) -> tuple[list[int], Ints, tuple[str, ...]]:
    """The rows whose source is known, the row of the source set for each, and what is said of the others.

    Raises:
        DataError: unknown sources without ``allow_missing``; or no source is known.
    """
    row = {name: number for number, name in enumerate(source.ids.tolist())}
    found = [row.get(name, row.get(PurePosixPath(name).stem, -1)) for name in ids]
    known = [number for number, where in enumerate(found) if where >= 0]
    lost = [name for name, where in zip(ids, found, strict=True) if where < 0]
    if lost and not (settings.allow_missing and known):
        raise DataError(
            f"derived: {len(lost)} of {len(ids)} pictures have a source that {source.name} lacks: {first(lost)}; "
            "complete the source set, or go on without them: --set affective.allow_missing=true"
        )
    notes = (f"{len(lost)} of {len(ids)} pictures left out, {source.name} lacks their source: {first(lost)}",)
    return known, np.array([where for where in found if where >= 0], dtype=np.int64), notes if lost else ()


DATASET = Dataset(
    name="derived",
    title="A set re-made picture by picture, with the labels of its sources (Diffused-EMOd)",
    kind="affective",
    licence="that of the source set and of the model that re-made it",
    show_pictures=False,
    citation="Landi, Rodrigues, & Chinnici (2026). arXiv:2606.13081; and the source set's own",
    homepage="made with: affekt data diffuse",
    labels=("those of the source set",),
    layout=f"{_TABLE} (image,source_id) and the pictures it names; the source set in the folder beside it",
    options={
        "source": f'the source set; default: the one that {_RECORD} names, else "emod"',
        "source_root": "folder of the source set; default: <its name> beside this folder",
        "source_options": 'options of its reader, as a list: ["scale=1-9"]; default: none',
    },
    read=read,
)
