"""Redrawing: the first draw that fits and no draw beyond it, and what to write where none does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from affekt.data.audiovisual import ClassLabels, Clips
from affekt.data.audiovisual.media import ClipSource, FileMedia
from affekt.data.audiovisual.reading import Reading
from affekt.data.audiovisual.redrawing import TRIES, check_classes, first_that, has_all
from affekt.errors import DataError
from affekt.recipe import ClipSettings

SPEAKERS = np.array(["s0", "s0", "s1", "s1", "s2", "s2"])


def clips(index: tuple[int, ...], task: str = "emotion") -> Clips:
    """Two clips of each of three speakers, of the classes a and b; -1 is none."""
    ids = np.array([f"clip-{n}" for n in range(len(SPEAKERS))])
    return Clips(
        name="toy",
        ids=ids,
        media=FileMedia(sources=[ClipSource(name=name, audio=name) for name in ids.tolist()], reading=Reading()),
        labels={task: ClassLabels(classes=("a", "b"), index=np.array(index))},
        groups=SPEAKERS,
    )


@pytest.mark.parametrize(("fitting", "draws"), [(0, 1), (3, 4), (TRIES - 1, TRIES), (None, TRIES)])
def test_the_first_draw_that_fits_is_the_last_one_made(fitting: int | None, draws: int) -> None:
    made: list[tuple[object, ...]] = []

    def draw(again: tuple[object, ...]) -> np.ndarray:
        made.append(again)
        return np.array([len(made) - 1])

    found = first_that(draw, lambda drawn: drawn[0] == fitting)
    assert found.tolist() == [fitting or 0]
    assert made == [(), *(("again", number) for number in range(1, draws))]


def test_clips_without_a_class_are_not_asked_for() -> None:
    some = clips((0, 1, 0, -1, -1, 1))
    assert has_all(some, np.array([True, True, False, False, False, False]))
    assert not has_all(some, np.array([True, False, True, True, True, False]))


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, r" in 100 draws; write another \[clips\] split_seed, validation or test$"),
        ({"folds": 3}, r" in 100 draws; write another \[clips\] split_seed, validation or folds$"),
        ({"leave_one_out": True}, r"of b; write another \[clips\] validation$"),
    ],
)
def test_a_class_of_several_speakers(settings: dict[str, object], advice: str) -> None:
    whole = clips((0, 0, 0, 1, 0, 1))
    with pytest.raises(DataError, match=advice):
        check_classes(whole, whole.take(np.arange(2)), replace(ClipSettings(name="toy"), **settings))  # type: ignore[arg-type]


BY_TASK = pytest.mark.parametrize(
    ("task", "keys"), [("emotion", r"\[clips\] emotions without it"), ("accent", r'\[clips\] tasks without "accent"')]
)
"""What to write where a class cannot be learned."""


@BY_TASK
def test_a_class_of_one_speaker(task: str, keys: str) -> None:
    whole = clips((0, 0, 0, 0, 0, 1), task)
    line = f"toy: {task}: no training clip of b: all of b is of the speaker s2, who is held out; write {keys}, or"
    with pytest.raises(DataError, match=line):
        check_classes(whole, whole.take(np.arange(4)), ClipSettings(name="toy"))


@BY_TASK
def test_a_class_of_which_no_clip_is_left(task: str, keys: str) -> None:
    whole = clips((0, 0, 0, 0, 0, 0), task)
    line = rf"^toy: {task}: no clip of b is left, .* \(affekt data check toy\); copy them anew, or write {keys}$"
    with pytest.raises(DataError, match=line):
        check_classes(whole, whole.take(np.arange(4)), ClipSettings(name="toy"))
