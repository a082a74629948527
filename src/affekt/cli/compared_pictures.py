"""The pictures that the report of ``affekt compare-humans`` shows: where licence and this machine allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from affekt.errors import AffektError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from affekt.cli.compared_stimuli import StimuliOfPeople
    from affekt.report import PicturesById

SHOWN_SIZE = 96
"""Side of the pictures in a report, pixels."""


def shown(stimuli: StimuliOfPeople, asked: bool | None) -> tuple[PicturesById | None, str]:
    """Who reads pictures for the report; None, and why, where they are not shown.

    Args:
        asked: whether to show them; None: where the licence allows it.
    """
    if asked is False:
        return None, "Ids only: the report was asked to show no pictures."
    if asked is None and not _allowed(stimuli):
        why = "their licence does not allow more" if stimuli.set else "their licence is not known"
        return None, f"Ids only: {why}; --pictures shows them."
    try:
        there = stimuli.pictures(stimuli.people.ids, SHOWN_SIZE, "crop")
    except AffektError:
        return None, "Ids only: the pictures are not on this machine."
    row = {name: place for place, name in enumerate(there.ids.tolist())}

    def read(ids: Sequence[str]) -> list[NDArray[np.uint8] | None]:
        known = [name for name in ids if name in row]
        rows = np.array([row[name] for name in known], dtype=np.int64)
        found: dict[str, NDArray[np.uint8]] = {}
        if known:
            found = dict(zip(known, there.images(rows).permute(0, 2, 3, 1).numpy(), strict=True))
        return [found.get(name) for name in ids]

    return read, ""


def _allowed(stimuli: StimuliOfPeople) -> bool:
    from affekt.data import dataset

    return bool(stimuli.set) and dataset(stimuli.set).show_pictures
