"""EmoSet-118K: 118,102 pictures of eight emotions, with attributes of what they show (Yang et al. 2023)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import MIKELS, canonical_category, polarity
from affekt.data.affective.files import present
from affekt.data.dataset import Dataset, option
from affekt.data.pictures import FilePictures
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, UsageError, first
from affekt.recipe import DataSettings

_LISTS = {"train": "train.json", "validation": "val.json", "test": "test.json"}
_WORDS = ("scene", "facial_expression", "human_action")
_LEVELS = ("brightness", "colorfulness")
_OBJECTS = "object"
_POLARITIES = ("positive", "negative")


@dataclass(frozen=True, kw_only=True)
class _Item:
    """One line of a list: its emotion (canonical), id, the paths below the root, and the split."""

    emotion: str
    name: str
    picture: str
    annotation: str
    split: str


def read(root: Path, settings: DataSettings) -> Stimuli:
    """All pictures with the set's own split; each is its own group.

    Emotions are mapped by name: ``category`` is in the order of :data:`~affekt.affect.MIKELS`, or 0 = positive,
    1 = negative with ``classes = 2``.

    Raises:
        DataError: a file missing or not as published, an emotion that ``info.json`` does not list, a picture that lies
            in another emotion's folder, an id in two lists.
    """
    classes = option(settings, "classes", int, 8, choices=(8, 2))
    annotated = option(settings, "annotations", bool, False)
    _check_info(root)
    items = [item for split, file in _LISTS.items() for item in _list(root / file, split)]
    _check_ids(items)
    paths = [root / item.picture for item in items]
    found = present("emoset", paths, [item.picture for item in items], settings)
    kept = [items[row] for row in found.rows]
    extra, notes = _annotations(root, kept) if annotated else ({}, ())
    ids = np.array([item.name for item in kept])
    categories = MIKELS if classes == 8 else _POLARITIES
    names = [item.emotion if classes == 8 else polarity(item.emotion) or "" for item in kept]
    return Stimuli(
        name="emoset",
        ids=ids,
        pictures=FilePictures([paths[row] for row in found.rows], image_size=settings.image_size, fit=settings.fit),
        labels=Labels(
            categories=categories,
            category=np.array([categories.index(name) for name in names], dtype=np.int64),
            extra=extra,
        ),
        groups=ids,
        split=np.array([item.split for item in kept]),
        notes=(*found.notes, *notes),
        missing=found.missing,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"emoset: no {path}; the folder must hold info.json, {', '.join(_LISTS.values())}") from None
    except ValueError as error:
        raise DataError(f"emoset: {path.name} is not readable as JSON ({error})") from None


def _check_info(root: Path) -> None:
    """
    Raises:
        DataError: ``info.json`` lists other emotions than the eight, or numbers them other than 0 to 7.
    """
    try:
        numbers = {str(name): int(index) for name, index in _json(root / "info.json")["emotion"]["label2idx"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError('emoset: info.json has no numbers under "emotion", "label2idx"') from None
    strange = sorted(set(map(_emotion, numbers)) ^ set(MIKELS))
    if strange or sorted(numbers.values()) != list(range(len(MIKELS))):
        wrong = f"{', '.join(strange)} differ(s)" if strange else f"numbers {sorted(numbers.values())}"
        raise DataError(
            f"emoset: info.json does not number Mikels' eight emotions ({wrong}): {', '.join(MIKELS)} wanted"
        )


@lru_cache(maxsize=64)
def _emotion(name: str) -> str:
    try:
        return canonical_category(name)
    except UsageError:
        return name


def _list(path: Path, split: str) -> list[_Item]:
    rows = _json(path)
    if not isinstance(rows, list) or not rows:
        raise DataError(f"emoset: {path.name} is no list of pictures")
    return [_item(row, number, path.name, split) for number, row in enumerate(rows)]


def _item(row: Any, number: int, file: str, split: str) -> _Item:
    if not isinstance(row, list) or len(row) != 4 or not all(isinstance(cell, str) for cell in row):
        raise DataError(f"emoset: {file}: entry {number} is not [emotion, id, picture, annotation]: {str(row)[:80]}")
    emotion, name, picture, annotation = row
    known = _emotion(emotion)
    if known not in MIKELS:
        raise DataError(f'emoset: {file}: entry {number}: emotion "{emotion}" is not in info.json')
    for path in (picture, annotation):
        parts = path.split("/")
        if ".." in parts or path.startswith("/"):
            raise DataError(f'emoset: {file}: entry {number}: "{path}" leads out of the set')
        if len(parts) < 2 or _emotion(parts[-2]) != known:
            raise DataError(f'emoset: {file}: entry {number} is "{emotion}", but lies in {path}')
    return _Item(emotion=known, name=name, picture=picture, annotation=annotation, split=split)


def _check_ids(items: Sequence[_Item]) -> None:
    splits: dict[str, str] = {}
    twice = [f"{i.name} ({splits[i.name]}, {i.split})" for i in items if splits.setdefault(i.name, i.split) != i.split]
    if twice:
        raise DataError(f"emoset: {len(twice)} picture(s) stand in two lists: {first(twice)}")
    if len(splits) < len(items):
        raise DataError(f"emoset: {len(items) - len(splits)} picture(s) stand twice in a list; keep each once")


# ------------------------------------------------------------------------------------------------ annotations


def _annotations(root: Path, items: Sequence[_Item]) -> tuple[dict[str, NDArray[np.generic]], tuple[str, ...]]:
    """The attributes as columns: words ``""`` and numbers NaN where one is missing; objects joined by ``;``."""
    read = [_annotation(root / item.annotation) for item in items]
    absent = sum(found is None for found in read)
    found = [one or {} for one in read]
    columns: dict[str, NDArray[np.generic]] = {}
    for key in _WORDS:
        columns[key] = np.array([str(one.get(key) or "") for one in found])
    for key in _LEVELS:
        columns[key] = np.array([_level(one.get(key)) for one in found], dtype=np.float32)
    columns[_OBJECTS] = np.array([_joined(one.get(_OBJECTS)) for one in found])
    notes = (f"{absent} of {len(items)} annotations missing; their attributes are empty",) if absent else ()
    return columns, notes


def _annotation(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    found = _json(path)
    if not isinstance(found, dict):
        raise DataError(f"emoset: {path} is no annotation")
    return found


def _level(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _joined(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value or "")


DATASET = Dataset(
    name="emoset",
    title="EmoSet-118K: 118,102 pictures of eight emotions with attributes",
    kind="affective",
    licence="see homepage; pictures collected from the web",
    show_pictures=False,
    citation=(
        "Yang, J., Huang, Q., Ding, T., Lischinski, D., Cohen-Or, D., & Huang, H. (2023). EmoSet: A Large-scale Visual "
        "Emotion Dataset with Rich Attributes. ICCV 2023. https://arxiv.org/abs/2307.07961"
    ),
    homepage="https://vcc.tech/EmoSet",
    labels=("category",),
    categories=MIKELS,
    layout="info.json, train.json, val.json, test.json, image/<emotion>/<id>.jpg, annotation/<emotion>/<id>.json",
    expected=118_102,
    splits={"train": 0.8, "validation": 0.05, "test": 0.15},
    options={
        "classes": "8 emotions (default), or 2: positive and negative",
        "annotations": "true: read scene, facial_expression, human_action, brightness, colorfulness and object "
        "of every picture (one small file each: minutes on a slow disk); default: false",
    },
    read=read,
)
