"""Stimulus folder: manipulated pictures as PNG files, ``stimuli.csv`` about them, ``trials.csv`` to show them by."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.affect import majority
from affekt.data.disk import whole_folder
from affekt.data.stimuli import Labels, Stimuli
from affekt.data.targets.class_folders import SUFFIXES
from affekt.data.trial_table import Shown, write_trials
from affekt.errors import UsageError, first

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = ("file", "source_id", "category", "group", "manipulation", "strength", "seed", "other_id")
BATCH = 32
LONGEST = 80
"""Characters of a file name before its ending: with its folders it stays below what any file system takes."""

Landmarks = Mapping[str, NDArray[np.float64]]
"""Id -> ``(L, 2)`` points, as :func:`~affekt.data.manipulations.manipulate` takes them."""

Boxes = Mapping[str, NDArray[np.float64]]
"""Id -> ``(4,)`` left, top, right, bottom of a face, in pixels of the picture as it is read."""

Progress = Callable[[str, int, int], None]
"""Called with (what, pictures done, pictures in all)."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A manipulation at a strength."""

    manipulation: str
    strength: float

    @property
    def name(self) -> str:
        """``eyes-0.5``: the condition in the trial table, and its folder."""
        return f"{self.manipulation}-{self.strength:g}"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A source picture, or a pair of them, that is made in several conditions.

    Attributes:
        row: of the source; ``other``: of the second of a pair, None without.
        stem: of the file names, unique.
        conditions: all that it is made in.
    """

    row: int
    other: int | None
    stem: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written: numbers of pictures, of sources and pairs, of trials; the names of the conditions."""

    pictures: int
    sources: int
    pairs: int
    trials: int
    conditions: tuple[str, ...]


def write_stimuli(
    source: Stimuli,
    folder: Path,
    conditions: Sequence[Condition],
    *,
    chosen: Sequence[int],
    pairs: Sequence[tuple[int, int]] = (),
    seed: int = 0,
    subjects: int = 1,
    landmarks: Landmarks | None = None,
    boxes: Boxes | None = None,
    progress: Progress | None = None,
) -> Written:
    """Make ``folder``: ``images/<condition>/<source>.png``, ``stimuli.csv`` and ``trials.csv``. Whole or absent.

    Args:
        conditions: checked manipulations; those of pairs are made of ``pairs``, the others of ``chosen``.
        chosen: rows of the source pictures.
        pairs: rows of the first and the second picture of each pair.
        seed: of the manipulations' draws and of the order of trials.
        subjects: whose orders ``trials.csv`` holds.
        landmarks: of every picture of a pair; None: pairs are cross-faded.
        boxes: of the face in each of ``chosen``, for the manipulations that use it; None: faces fill the pictures.

    Raises:
        UsageError: the folder holds something, conditions of one name, a strength that the pictures' size forbids.
        DataError: a picture that does not decode; a full or read-only disk.
    """
    _check_names(conditions)
    units = _units(source.ids.tolist(), conditions, chosen, pairs)
    names = category_names(source.labels, len(source))
    total = sum(len(unit.conditions) for unit in units)
    shown: list[Shown] = []
    with whole_folder(folder) as temporary:
        with (temporary / "stimuli.csv").open("x", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            for unit, condition, pixels in _made(source, units, seed, landmarks, boxes):
                path = f"images/{condition.name}/{unit.stem}.png"
                _write_picture(pixels, temporary / path)
                table.writerow(_row(source, unit, condition, path, names[unit.row], seed))
                shown.append(Shown(unit=unit.stem, condition=condition.name, category=names[unit.row], file=path))
                if progress is not None:
                    progress("pictures", len(shown), total)
        trials = write_trials(temporary / "trials.csv", shown, subjects, seed=seed)
    n_pairs = sum(unit.other is not None for unit in units)
    return Written(
        pictures=len(shown),
        sources=len(units) - n_pairs,
        pairs=n_pairs,
        trials=trials,
        conditions=tuple(condition.name for condition in conditions),
    )


def category_names(labels: Labels, n: int) -> list[str]:
    """The category of each of n pictures, else the one with most votes; empty where there is none, or a tie."""
    category = labels.category
    if category is None and labels.votes is not None:
        category = majority(labels.votes)
    return [""] * n if category is None else [labels.categories[c] if c >= 0 else "" for c in category]


def _check_names(conditions: Sequence[Condition]) -> None:
    names = [condition.name for condition in conditions]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"condition {name}: asked for twice (strengths count to six digits)")


def _units(
    ids: Sequence[str], conditions: Sequence[Condition], chosen: Sequence[int], pairs: Sequence[tuple[int, int]]
) -> list[Unit]:
    from affekt.data.manipulations import MANIPULATIONS

    of_pairs = tuple(c for c in conditions if MANIPULATIONS[c.manipulation].pairs)
    of_one = tuple(c for c in conditions if c not in of_pairs)
    rows: list[tuple[int, int | None]] = [(row, None) for row in chosen] if of_one else []
    rows += pairs if of_pairs else []
    labels = [(ids[a],) if b is None else (ids[a], ids[b]) for a, b in rows]
    return [
        Unit(row=a, other=b, stem=stem, conditions=of_one if b is None else of_pairs)
        for (a, b), stem in zip(rows, stems(labels), strict=True)
    ]


def stems(labels: Iterable[tuple[str, ...]]) -> list[str]:
    """File names without ending for ids, or pairs of ids: letters, digits, ``. _ -`` of ASCII; unique in any case.

    A name that would be another's, or too long, ends in a hash of its id.
    """
    labels = list(labels)
    plain = ["_".join(map(_plain, label)) for label in labels]
    uses = Counter(stem.lower() for stem in plain)
    return [
        stem if uses[stem.lower()] == 1 and len(stem) <= LONGEST else f"{stem[:LONGEST]}-{_hash(label)}"
        for stem, label in zip(plain, labels, strict=True)
    ]


def _plain(name: str) -> str:
    path = PurePosixPath(name)
    name = str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.replace("/", "-")).lstrip(".") or "_"


def _hash(label: tuple[str, ...]) -> str:
    return hashlib.sha256("\x1f".join(label).encode()).hexdigest()[:12]


def _made(
    source: Stimuli, units: Sequence[Unit], seed: int, landmarks: Landmarks | None, boxes: Boxes | None
) -> Iterator[tuple[Unit, Condition, Tensor]]:
    """``(3, H, W)`` uint8 of every unit in each of its conditions; a source picture is decoded once."""
    import torch

    from affekt.data.manipulations import MANIPULATIONS, manipulate

    single = [unit for unit in units if unit.other is None]
    paired = [unit for unit in units if unit.other is not None]
    batches = [part[start : start + BATCH] for part in (single, paired) for start in range(0, len(part), BATCH)]
    for batch in batches:
        images = source.images(np.array([unit.row for unit in batch], dtype=np.int64))
        seconds = np.array([unit.other for unit in batch if unit.other is not None], dtype=np.int64)
        others = source.images(seconds) if len(seconds) else None
        ids = [str(source.ids[unit.row]) for unit in batch]
        points = None if landmarks is None or others is None else _points(source, batch, landmarks)
        # A pair is of two faces; what it is made in takes no boxes.
        faces = None if boxes is None or others is not None else torch.from_numpy(np.stack([boxes[i] for i in ids]))
        made = [
            manipulate(
                images,
                condition.manipulation,
                condition.strength,
                ids=ids,
                seed=seed,
                others=others,
                landmarks=points,
                boxes=faces if MANIPULATIONS[condition.manipulation].faces else None,
            )
            for condition in batch[0].conditions
        ]
        for row, unit in enumerate(batch):
            for condition, pictures in zip(unit.conditions, made, strict=True):
                yield unit, condition, pictures[row]


def _points(source: Stimuli, batch: Sequence[Unit], landmarks: Landmarks) -> tuple[Tensor, Tensor]:
    """``(B, L, 2)`` landmarks of the first and of the second pictures of pairs.

    Raises:
        UsageError: a picture without, or faces with other numbers of points.
    """
    import torch

    names = [(str(source.ids[u.row]), str(source.ids[u.other])) for u in batch if u.other is not None]
    absent = sorted({name for pair in names for name in pair if name not in landmarks})
    if absent:
        raise UsageError(f"landmarks: there are none of {first(absent)}; every picture of a pair needs some")
    counts = {len(landmarks[name]) for pair in names for name in pair}
    if len(counts) > 1:
        few, many = min(counts), max(counts)
        raise UsageError(f"landmarks: {few} points of one face and {many} of another; mark the same points in all")
    one, other = (torch.from_numpy(np.stack([landmarks[name] for name in side])) for side in zip(*names, strict=True))
    return one, other


def _row(
    source: Stimuli, unit: Unit, condition: Condition, path: str, category: str, seed: int
) -> tuple[str | int | float, ...]:
    other = "" if unit.other is None else str(source.ids[unit.other])
    about = (str(source.ids[unit.row]), category, str(source.groups[unit.row]))
    return (path, *about, condition.manipulation, f"{condition.strength:g}", seed, other)


def _write_picture(pixels: Tensor, path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()).save(path, format="PNG")
