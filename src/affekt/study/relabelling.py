"""Relabelling: affective pictures with labels that carry no affect, for the controls of pre-training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import RecipeError, unknown
from affekt.randomness import generator

AFFECT, SHUFFLED = "affect", "shuffled"


def relabelled(parts: Mapping[str, Stimuli], which: str, *, seed: int) -> dict[str, Stimuli]:
    """The splits with the labels that ``[affective] labels`` asks for.

    ``affect``: as they are. ``shuffled``: in train, each picture has the labels of another, drawn by seed; validation
    and test keep theirs. Any other word: the values of that label column as categories.

    Raises:
        RecipeError: no such column; those there are.
    """
    if which == AFFECT:
        return dict(parts)
    if which == SHUFFLED:
        train = parts["train"]
        order = generator("shuffled labels", seed).permutation(len(train))
        return {**parts, "train": replace(train, labels=train.labels.take(order))}
    return _of_column(parts, which)


def label_columns(labels: Labels) -> list[str]:
    """Columns of words that could be learned instead of affect: two values or more, and not one a picture."""
    found = []
    for name, values in labels.extra.items():
        different = len(np.unique(values.astype(str)))
        if values.dtype.kind in "UO" and 2 <= different <= len(values) // 2:
            found.append(name)
    return found


def _of_column(parts: Mapping[str, Stimuli], column: str) -> dict[str, Stimuli]:
    known = label_columns(parts["train"].labels)
    if column not in known:
        choices = unknown("label column", column, [AFFECT, SHUFFLED, *known])
        raise RecipeError(f'[affective] labels = "{column}": {choices}')
    words = {name: part.labels.extra[column].astype(str) for name, part in parts.items()}
    categories = tuple(word for word in np.unique(np.concatenate(list(words.values()))).tolist() if word)
    place = {word: index for index, word in enumerate(categories)}
    return {
        name: replace(
            part,
            labels=Labels(
                categories=categories,
                category=np.array([place.get(word, -1) for word in words[name].tolist()], dtype=np.int64),
            ),
        )
        for name, part in parts.items()
    }
