"""Bubbles (Gosselin and Schyns 2001): a picture seen through Gaussian apertures at random places, grey elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation

GREY = 0.5
SIGMA = 0.04
"""Standard deviation of an aperture, share of the shorter side: two pixels of 48, about an iris and its lids."""


def _aperture(centres: Tensor, height: int, width: int) -> Tensor:
    """``(H, W)``: the sum of the apertures around ``(n, 2)`` centres (shares of height and width), at most 1.

    The Gaussian is a product, so the sum over n bubbles is one product of ``(H, n)`` and ``(n, W)``.
    """
    scale = SIGMA * min(height, width)
    falls = []
    for axis, length in enumerate((height, width)):
        middles = torch.arange(length, dtype=torch.float64) + 0.5
        away = (middles[None, :] - centres[:, axis, None] * length) / scale
        falls.append(torch.exp(-0.5 * away.square()))
    return (falls[0].T @ falls[1]).clamp(max=1)


def bubbles(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """Seen through ``strength`` apertures; those of n bubbles are the first of those of n + 1."""
    n, (height, width) = int(strength), images.shape[-2:]
    centres = beside.draws("bubbles", 2 * n).view(len(images), n, 2)
    # One picture at a time: a batched product may round otherwise for another number of pictures.
    open_ = torch.stack([_aperture(each, height, width) for each in centres])[:, None]
    return torch.lerp(torch.full_like(images, GREY), images, open_)


MANIPULATIONS = (
    Manipulation(
        name="bubbles",
        about=f"seen through Gaussian apertures (standard deviation {SIGMA:g} of the shorter side), mid-grey elsewhere",
        unit="number of apertures: 0 shows nothing",
        low=0,
        high=1000,
        reference="Gosselin & Schyns 2001, Vision Research 41:2261 (one scale; sum of apertures, at most 1)",
        apply=bubbles,
        unchanged=None,
        whole=True,
        random=True,
    ),
)
