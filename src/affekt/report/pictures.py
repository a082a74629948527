"""Pictures on a page: rows of them with a number and a word each; who calls the report reads them, it shows them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affekt.errors import UsageError
from affekt.report.table import Table

Pixels = NDArray[np.uint8]

SIDE = 128
"""Pixels along the longer side: larger pictures are scaled down for the page."""


class PicturesById(Protocol):
    """Whoever can show pictures by id."""

    def __call__(self, ids: Sequence[str]) -> Sequence[Pixels | None]:
        """One ``(H, W, 3) uint8`` picture for each id, in the order of the ids; None for one that is not there."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the page.

    Attributes:
        id: of the stimulus; what stands in the picture's place where it is not shown.
        value: what stands out below it, e.g. a number.
        label: what follows that.
        source: a ``data:`` URI; empty where pictures are not shown.
    """

    id: str
    value: str
    label: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Rows of pictures, each with a title.

    Attributes:
        lead: what they are, and why they are not shown where they are not.
        caption: below them.
        table: their numbers.
    """

    lead: str
    rows: Sequence[tuple[str, Sequence[Picture]]]
    caption: str
    table: Table


def sources(ids: Sequence[str], pictures: PicturesById | None) -> list[str]:
    """A ``data:`` URI for each id; empty strings without ``pictures``, or where one is not there.

    Raises:
        UsageError: ``pictures`` gives other than one ``(H, W, 3) uint8`` picture for each id.
    """
    if pictures is None:
        return [""] * len(ids)
    found = list(pictures(ids))
    if len(found) != len(ids):
        raise UsageError(f"pictures: {len(found)} for {len(ids)} ids; one for each id is asked")
    return ["" if pixels is None else _uri(pixels) for pixels in found]


def _uri(pixels: Pixels) -> str:
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
