"""Reporting: the report of a study's folder, with pictures where their licence and this machine allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data import behind
from affekt.errors import AffektError
from affekt.recipe import Recipe
from affekt.report import PicturesById
from affekt.study.building import target_data
from affekt.study.frame import Frame
from affekt.study.report import write_report

SHOWN_SIZE = 96
"""Side of the pictures that a report shows, pixels: larger than what small networks see."""


def report(folder: Path, frame: Frame, *, pictures: bool | None = None, data_root: Path | None = None) -> list[Path]:
    """Write a study's report; its ``comparison.json`` must be there.

    Args:
        pictures: None: as ``[study] pictures`` says.

    Raises:
        AffektError: see :func:`~affekt.study.report.write_report`.
    """
    if frame.recipe.of_clips:
        from affekt.study.clips.report import write_clip_report

        return write_clip_report(folder)
    allowed = _allowed(frame.recipe, data_root) if pictures is None else pictures
    stimuli = _readable(frame, data_root) if allowed else None
    try:
        return write_report(folder, pictures=None if allowed else False, stimuli=stimuli)
    except KeyError:
        # The data set was changed since: pictures that were tested are no longer in its test split.
        return write_report(folder, stimuli=None)


def _allowed(recipe: Recipe, data_root: Path | None) -> bool:
    wish = recipe.study.pictures
    return behind(recipe.target, data_root).show_pictures if wish == "licence" else wish == "always"


def _readable(frame: Frame, data_root: Path | None) -> PicturesById | None:
    """The test pictures by id; None where the data set is not on this machine."""
    recipe = frame.recipe
    larger = replace(recipe, target=replace(recipe.target, image_size=max(SHOWN_SIZE, recipe.target.image_size)))
    try:
        test = target_data(larger, seed=frame.seeds[0], data_root=data_root).splits["test"]
    except AffektError:
        return None
    row: dict[Any, int] = {name: index for index, name in enumerate(test.ids.tolist())}

    def read(ids: Sequence[str]) -> list[NDArray[np.uint8]]:
        rows = np.array([row[name] for name in ids], dtype=np.int64)
        pixels: NDArray[np.uint8] = test.images(rows).permute(0, 2, 3, 1).numpy()
        return list(pixels)

    return read
