"""Occlusion: a grey bar over the eyes or the mouth, at a given face box or where faces of FER-2013 have them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation

Box = tuple[float, float, float, float]

EYES: Box = (0.12, 0.24, 0.88, 0.46)
MOUTH: Box = (0.22, 0.68, 0.78, 0.96)
"""Left, top, right, bottom as shares of the face box.

Read off the mean of every tenth training face of FER+ (2,856 faces): FER-2013 was cropped by a face detector so that a
face fills the picture, and in the mean the eyes lie at 0.31 to 0.44 of the height with the brows from 0.25 above them,
from 0.18 to 0.82 of the width; the lips at 0.73 to 0.87 and from 0.33 to 0.69. Each box has a margin of 0.02 to 0.11,
since single faces differ from the mean; it is widest below the lips, for an open mouth.
"""

GREY = 0.5
"""The bar's level: mid-grey, the same in all pictures, so that it says nothing of what is under it."""


def _overlap(low: Tensor, high: Tensor, n: int) -> Tensor:
    """``(B, n)`` share of each of n pixels that lies between ``(B,)`` ``low`` and ``high``, in pixels."""
    edges = torch.arange(n, dtype=torch.float64)
    return (torch.minimum(high[:, None], edges + 1) - torch.maximum(low[:, None], edges)).clamp(0, 1)


def occlude(images: Tensor, strength: float, beside: Beside, *, region: Box) -> Tensor:
    """A bar of the region's width, grown from the region's middle line up and down to ``strength`` of its height.

    Rows and columns that the bar covers in part are blended in proportion, so that strength is continuous at any size.
    """
    left, top, right, bottom = beside.boxes.unbind(1)
    x0, x1 = (left + share * (right - left) for share in (region[0], region[2]))
    middle = top + (region[1] + region[3]) / 2 * (bottom - top)
    half = strength * (region[3] - region[1]) / 2 * (bottom - top)
    height, width = images.shape[-2:]
    rows, columns = _overlap(middle - half, middle + half, height), _overlap(x0, x1, width)
    cover = (rows[:, :, None] * columns[:, None, :])[:, None]
    return torch.lerp(images, torch.full_like(images, GREY), cover)


def _described(part: str, region: Box) -> Manipulation:
    return Manipulation(
        name=part,
        about=f"a mid-grey bar over the {part}, grown from its middle line",
        unit="share of the region's height that is covered",
        low=0,
        high=1,
        reference="occluded faces: Li & Ying 2022, Front. Comput. Neurosci. 16:1054421",
        apply=partial(occlude, region=region),
        faces=True,
    )


MANIPULATIONS = (_described("eyes", EYES), _described("mouth", MOUTH))
