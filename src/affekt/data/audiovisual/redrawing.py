"""Redrawing: of several draws of a split by one seed the first that leaves every class of every task to learn from.

A split is balanced by the first task alone; a rare class of another may be drawn out of training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Clips
from affekt.data.stimuli import Ints, Strings
from affekt.errors import DataError, first
from affekt.recipe import ClipSettings

TRIES = 100

Again = tuple[object, ...]
"""What tells a draw from the one before it; of the first nothing."""

T = TypeVar("T", Strings, Ints)


def first_whole(clips: Clips, draw: Callable[[Again], Strings]) -> Strings:
    """The first split ``(N,)`` with a training clip of every class of every task; where none has, the first."""
    return first_that(draw, lambda split: has_all(clips, split == "train"))


def first_that(draw: Callable[[Again], T], fits: Callable[[T], bool]) -> T:
    """The first of ``TRIES`` draws that fits; where none does, the first."""
    found = draw(())
    if fits(found):
        return found
    others = (draw(("again", number)) for number in range(1, TRIES))
    return next((other for other in others if fits(other)), found)


def has_all(clips: Clips, chosen: NDArray[np.bool_]) -> bool:
    """Whether every class of every task that has a clip has one among the chosen."""
    known = [labels.index[labels.index >= 0] for labels in clips.labels.values()]
    there = [labels.index[chosen] for labels in clips.labels.values()]
    return all(bool(np.isin(np.unique(every), some).all()) for every, some in zip(known, there, strict=True))


def check_classes(clips: Clips, train: Clips, settings: ClipSettings) -> None:
    """
    Raises:
        DataError: a class of a task without a training clip, with what to write instead.
    """
    for task, labels in train.labels.items():
        without = [name for name, n in labels.counts().items() if not n]
        if without:
            _check_left(clips, task, without)
            why = _alone(clips, task, without) or _tried(settings)
            raise DataError(f"{clips.name}: {task}: no training clip of {first(without)}{why}")


def _check_left(clips: Clips, task: str, without: Sequence[str]) -> None:
    """
    Raises:
        DataError: a class without any clip, which no draw can help.
    """
    counts = clips.labels[task].counts()
    gone = [word for word in without if not counts[word]]
    if gone:
        raise DataError(
            f"{clips.name}: {task}: no clip of {first(gone)} is left, their files are missing or cannot be read "
            f"(affekt data check {clips.name}); copy them anew, or write {_keys(task)}"
        )


def _keys(task: str) -> str:
    """What leaves a class out."""
    return "[clips] emotions without it" if task == "emotion" else f'[clips] tasks without "{task}"'


def _alone(clips: Clips, task: str, without: Sequence[str]) -> str:
    """Of a class that one speaker has, what to write."""
    labels = clips.labels[task]
    for word in without:
        who = np.unique(clips.groups[labels.index == labels.classes.index(word)])
        if len(who) == 1:
            out = f"all of {word} is of the speaker {who[0]}, who is held out"
            return f": {out}; write {_keys(task)}, or another split_seed"
    return ""


def _tried(settings: ClipSettings) -> str:
    """How many draws had none, and the keys that cut otherwise."""
    if settings.leave_one_out:
        return "; write another [clips] validation"
    cut = "folds" if settings.folds is not None else "test"
    return f" in {TRIES} draws; write another [clips] split_seed, validation or {cut}"
