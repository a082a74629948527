"""Regions: the share of a map that lies in a region (eyes, mouth, a box), and whether its highest point does.

The share is the energy-based pointing game of H. Wang et al. (Score-CAM, CVPR Workshops 2020); the point is the
pointing game of J. Zhang et al. (Top-down neural attention by excitation backprop, IJCV 2018), without a margin.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.data.manipulations.occlusion import EYES, MOUTH, Box
from affekt.errors import DataError, UsageError
from affekt.humans.looking.measures import as_density, stack

Floats = NDArray[np.float64]

FACE: Mapping[str, Box] = MappingProxyType({"eyes": EYES, "mouth": MOUTH})
"""Left, top, right, bottom as shares of the face box; where they were read off is said at :data:`EYES`."""


def region_mask(box: ArrayLike, height: int, width: int) -> Floats:
    """``(..., H, W)`` in [0, 1]: how much of each point a box covers, so that a share is right at any size.

    Args:
        box: ``(..., 4)`` left, top, right, bottom in points of the map, e.g. one box a picture; what lies outside of
            the picture is cut off.

    Raises:
        UsageError: another shape, or a box without area in the picture.
    """
    edges = np.asarray(box, dtype=np.float64)
    if edges.ndim < 1 or edges.shape[-1] != 4:
        raise UsageError(f"box of shape {edges.shape}: left, top, right, bottom are asked, one box or one a picture")
    left, top, right, bottom = np.moveaxis(edges, -1, 0)
    rows, columns = _cover(top, bottom, height), _cover(left, right, width)
    mask = rows[..., :, None] * columns[..., None, :]
    if not (mask.sum(axis=(-2, -1)) > 0).all():
        raise UsageError(f"box without area in {height} x {width} points; left < right and top < bottom are asked")
    return np.asarray(mask)


def face_mask(region: str, height: int, width: int, boxes: ArrayLike | None = None) -> Floats:
    """``(H, W)`` or ``(N, H, W)``: where a face has its eyes or its mouth.

    Args:
        region: a name of :data:`FACE`.
        boxes: ``(N, 4)`` left, top, right, bottom of each face, in points; None: the face fills the picture, as in
            FER-2013, where a face detector cut the pictures.

    Raises:
        UsageError: no such region, or as :func:`region_mask`.
    """
    if region not in FACE:
        raise UsageError(f'region "{region}": write one of {", ".join(FACE)}')
    around = np.asarray([0, 0, width, height] if boxes is None else boxes, dtype=np.float64)
    if around.shape[-1:] != (4,):
        raise UsageError(f"boxes of shape {around.shape}: (N, 4) left, top, right, bottom are asked")
    left, top, right, bottom = np.moveaxis(around, -1, 0)
    low, high = np.stack([left, top]), np.stack([right, bottom])
    share = np.reshape(FACE[region], (2, 2) + (1,) * (around.ndim - 1))
    corners = low + share * (high - low)
    return region_mask(np.moveaxis(corners.reshape(4, *around.shape[:-1]), 0, -1), height, width)


def region_share(maps: ArrayLike, mask: ArrayLike) -> Floats:
    """``(N,)`` in [0, 1]: the share of each map that lies in the region; NaN where a map is all zero.

    An even map has the region's share of the area.

    Args:
        maps: ``(N, H, W)``, 0 or more.
        mask: ``(H, W)`` or ``(N, H, W)`` in [0, 1].

    Raises:
        UsageError: shapes that do not fit.
        DataError: maps below zero, a mask out of [0, 1].
    """
    table = stack(maps, "maps")
    return np.asarray(np.einsum("np,np->n", as_density(_flat(table)), _flat(masks(mask, table.shape))))


def pointing(maps: ArrayLike, mask: ArrayLike) -> Floats:
    """``(N,)`` in [0, 1]: 1 where the highest point of a map lies in the region, 0 where it does not.

    Of several highest points the share that does; NaN where a map is the same everywhere. A point that the region
    covers in part counts in part. Arguments and errors as of :func:`region_share`; maps may be signed.
    """
    table = stack(maps, "maps")
    return np.asarray(np.einsum("np,np->n", highest(_flat(table)), _flat(masks(mask, table.shape))))


def highest(table: Floats) -> Floats:
    """``(N, P)`` rows that sum to 1 over their highest points; NaN where a row is constant."""
    peak = (table == table.max(axis=1, keepdims=True)).astype(np.float64)
    return np.where(np.ptp(table, axis=1, keepdims=True) > 0, peak / peak.sum(axis=1, keepdims=True), np.nan)


def masks(mask: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """``(N, H, W)`` a mask for each map.

    Raises:
        UsageError: a shape that does not fit the maps.
        DataError: out of [0, 1].
    """
    array = np.asarray(mask, dtype=np.float64)
    if array.shape not in (shape, shape[1:]):
        raise UsageError(f"mask of shape {array.shape} for maps of {shape}; {shape[1:]} or {shape} is asked")
    if not ((array >= 0) & (array <= 1)).all():
        raise DataError("mask: shares of a point from 0 to 1 are asked, True and False at best")
    return np.broadcast_to(array, shape)


def _flat(array: Floats) -> Floats:
    return array.reshape(len(array), -1)


def _cover(low: Floats, high: Floats, n: int) -> Floats:
    """``(..., n)``: how much of each of n points lies between ``low`` and ``high``."""
    edges = np.arange(n, dtype=np.float64)
    return np.asarray(np.clip(np.minimum(high[..., None], edges + 1) - np.maximum(low[..., None], edges), 0, 1))
