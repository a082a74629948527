"""Names of stimuli in tables of trials and of answers, made one a stimulus, the same for people and models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.affective.columns import Columns
from affekt.errors import DataError
from affekt.humans.people.known import Ints, Strings

IDS = ("imagename", "id", "stimulus", "image", "path", "file", "filename", "file_name", "picture", "image_path")
"""What the column of stimuli is called."""

INTACT = ("", "intact", "none", "original", "unmanipulated")
"""Conditions that say that a stimulus is as it is, whatever their case."""

_PUBLISHED = re.compile(r"\d+_[^_]+_(?:s\d+|dnn)_(.+)")
"""0001_cl_s01_cr_oven_40_n04111531_14126.png: trial, experiment, subject (or dnn), then what all share."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """The N stimuli of T rows.

    Attributes:
        ids: ``(N,)`` in the order in which they first occur.
        rows: ``(N,)`` where they first occur.
        which: ``(T,)`` the stimulus of each row.
    """

    ids: Strings
    rows: Ints
    which: Ints


def stimuli_of(names: Strings) -> Named:
    """The stimuli that ``(T,)`` names are of."""
    ids, rows, which = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(rows)
    place = np.argsort(order)
    return Named(ids=ids[order], rows=rows[order], which=place[which])


def stimulus_names(
    images: Sequence[str], conditions: Sequence[str] | Strings | None = None
) -> tuple[Strings, tuple[str, ...]]:
    """``(T,)`` the stimulus of each row, and notes.

    The published tables of model-vs-human write number of trial, experiment and subject before an image's name, so that
    no two subjects seem to see the same: that is taken off where every name has it. Where one image stands under
    several conditions, the condition goes before each name: ``eyes-0.5/1001.png``.
    """
    names, notes = np.array([image.replace("\\", "/") for image in images], dtype=np.str_), []
    shared = [_PUBLISHED.fullmatch(name) for name in names.tolist()]
    if shared and all(shared):
        names = np.array([match[1] for match in shared if match])
        notes.append(f"trial, experiment and subject taken off the image names ({images[0]} -> {names[0]})")
    pairs = [] if conditions is None else list(zip(names.tolist(), map(str, conditions), strict=True))
    if len(set(pairs)) > len({name for name, _ in pairs}):
        names = np.array([f"{condition}/{name}" if condition else name for name, condition in pairs])
        notes.append(f"images stand under several conditions: the condition goes before each name ({names[0]})")
    return names, tuple(notes)


def without_condition(names: Strings, conditions: Strings) -> Strings:
    """Names less a condition that they begin with: the source that stimuli of several conditions have in common."""
    pairs = zip(names.tolist(), conditions.tolist(), strict=True)
    return np.array([name[len(c) + 1 :] if c and name.startswith((f"{c}_", f"{c}/")) else name for name, c in pairs])


def is_intact(conditions: Strings) -> NDArray[np.bool_]:
    """``(N,)`` whether each condition is one of :data:`INTACT`."""
    return np.array([condition.strip().lower() in INTACT for condition in conditions.tolist()], dtype=np.bool_)


def id_column(columns: Columns, options: Mapping[str, Any]) -> str:
    """The column of stimuli in a model's table: the one that option ``id`` names, else one of :data:`IDS`.

    Raises:
        DataError: no such column; how to name it.
    """
    if "id" in options:
        return columns.require(str(options["id"]))
    header = columns.find(*IDS)
    if header is None:
        raise DataError(
            f'{columns.name}: no column "{IDS[0]}", "{IDS[1]}" or the like. Found: {columns.headers()}; name the one '
            "of the stimuli: --answers id=COLUMN"
        )
    return header
