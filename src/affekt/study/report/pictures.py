"""Pictures with the most and the least regulation; who calls the report reads them, it only shows them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affekt.errors import UsageError
from affekt.study.report.gathering import Shown
from affekt.study.report.table import Table

Pixels = NDArray[np.uint8]

SHOWN = 12
"""Pictures in each of the two rows."""

SIDE = 128
"""Pixels along the longer side: larger pictures are scaled down for the page."""


class TestPictures(Protocol):
    """Whoever can show test pictures by id."""

    def __call__(self, ids: Sequence[str]) -> Sequence[Pixels]:
        """One ``(H, W, 3) uint8`` picture for each id, in the order of the ids."""


def extremes(regulation: NDArray[np.float64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the ``n`` highest r, highest first, and of the ``n`` lowest, lowest first; none stands in both."""
    n = min(n, len(regulation) // 2)
    order = np.argsort(regulation, kind="stable").astype(np.int64)
    return order[::-1][:n], order[:n]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One of the pictures at an end.

    Attributes:
        id: of the item.
        regulation: its r, mean over seeds.
        label: its class.
        source: a ``data:`` URI; empty where pictures are not shown.
    """

    id: str
    regulation: float
    label: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The items with the highest r, highest first, and with the lowest, lowest first."""

    highest: Sequence[Picture]
    lowest: Sequence[Picture]

    @property
    def table(self) -> Table:
        records = [
            {"end": end, "id": p.id, "class": p.label, "r": p.regulation}
            for end, row in (("highest", self.highest), ("lowest", self.lowest))
            for p in row
        ]
        return Table(name="pictures", caption="Items with the highest and the lowest r.", records=records)


def ends(shown: Shown, classes: Sequence[str], stimuli: TestPictures | None) -> Ends:
    """The items at both ends of r, with their pictures where ``stimuli`` gives them.

    Raises:
        UsageError: ``stimuli`` gives other than one ``(H, W, 3) uint8`` picture for each id.
    """
    highest, lowest = extremes(shown.mean, SHOWN)
    chosen = np.concatenate([highest, lowest])
    sources = [""] * len(chosen)
    if stimuli is not None:
        found = list(stimuli([str(shown.ids[i]) for i in chosen]))
        if len(found) != len(chosen):
            raise UsageError(f"pictures: {len(found)} for {len(chosen)} ids; one for each id is asked")
        sources = [_data_uri(pixels) for pixels in found]
    every = [
        Picture(
            id=str(shown.ids[i]),
            regulation=float(shown.mean[i]),
            label=_class(int(shown.category[i]), classes),
            source=source,
        )
        for i, source in zip(chosen, sources, strict=True)
    ]
    return Ends(highest=every[: len(highest)], lowest=every[len(highest) :])


def _class(category: int, classes: Sequence[str]) -> str:
    return str(classes[category]) if 0 <= category < len(classes) else "class unknown"


def _data_uri(pixels: Pixels) -> str:
    from PIL import Image

    array = np.asarray(pixels)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise UsageError(f"pictures: {array.dtype} {array.shape}; uint8 (H, W, 3) is asked")
    image = Image.fromarray(array)
    image.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    # A photograph as PNG takes five times the room; one as small as CIFAR's stays as it is.
    if max(image.size) > 64:
        image.save(out, "JPEG", quality=85)
        return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
    image.save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
