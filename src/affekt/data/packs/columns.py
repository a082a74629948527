"""Columns of a pack: all that is known of its pictures, as arrays of one file and their names in ``pack.json``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.data.packs.remaking import anew
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError

COLUMNS = "columns.npz"

Arrays = dict[str, NDArray[Any]]

_GROUPS = ("ratings", "rating_sd", "rating_n", "extra")
"""Fields of :class:`Labels` that hold several columns by name; array ``ratings.0`` is the first of the first."""


def arrays_of(stimuli: Stimuli) -> Arrays:
    """Ids, groups, splits and every label column of N stimuli, each as it is.

    Raises:
        DataError: a further column of Python objects.
    """
    labels = stimuli.labels
    found: Arrays = {"ids": stimuli.ids, "groups": stimuli.groups}
    single = {"split": stimuli.split, "category": labels.category, "votes": labels.votes}
    found |= {name: values for name, values in single.items() if values is not None}
    for group in _GROUPS:
        found |= {f"{group}.{place}": values for place, values in enumerate(getattr(labels, group).values())}
    if objects := [name for name, values in labels.columns().items() if values.dtype.kind == "O"]:
        raise DataError(f'{stimuli.name}: column "{objects[0]}" holds Python objects; make it text or numbers')
    return found


def names_of(stimuli: Stimuli) -> dict[str, Any]:
    """What the arrays do not say, as plain values: name, categories, scale, names of columns, notes."""
    labels = stimuli.labels
    return {
        "name": stimuli.name,
        "categories": list(labels.categories),
        "scale": None if labels.scale is None else [labels.scale.low, labels.scale.high],
        **{group: list(getattr(labels, group)) for group in _GROUPS},
        "notes": list(stimuli.notes),
        "missing": stimuli.missing,
    }


def labels_from(arrays: Mapping[str, NDArray[Any]], names: Mapping[str, Any]) -> Labels:
    """The labels that :func:`arrays_of` and :func:`names_of` took apart."""
    groups = {group: {n: arrays[f"{group}.{i}"] for i, n in enumerate(names[group])} for group in _GROUPS}
    return Labels(
        categories=tuple(names["categories"]),
        category=arrays.get("category"),
        votes=arrays.get("votes"),
        scale=None if names["scale"] is None else RatingScale(*names["scale"]),
        **groups,
    )


def read_arrays(path: Path, *only: str) -> Arrays:
    """The arrays of a file, or some of them; nothing in it is executed.

    Raises:
        DataError: missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in only or stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path}: missing, cut short or altered; {anew(path.parent)}") from None
