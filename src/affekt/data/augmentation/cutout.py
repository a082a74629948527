"""Cutout (DeVries and Taylor 2017): a grey square around a random pixel of each sample, cut off at the border."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.augmentation.geometry import GREY
from affekt.randomness import uniforms


def box_mask(centre: Tensor, sides: Tensor, shape: tuple[int, int]) -> Tensor:
    """``(B, 1, H, W)`` bool: the pixels within boxes.

    Args:
        centre: ``(B, 2)`` int64 row and column of a pixel.
        sides: ``(B, 2)`` int64 height and width; a box begins half its side before its centre.
        shape: height and width of the pictures.
    """
    start = centre - sides // 2
    rows, columns = (torch.arange(n, device=centre.device) for n in shape)
    down = (rows >= start[:, :1]) & (rows < start[:, :1] + sides[:, :1])
    right = (columns >= start[:, 1:]) & (columns < start[:, 1:] + sides[:, 1:])
    return (down[:, :, None] & right[:, None, :])[:, None]


def centres(items: Tensor, shape: tuple[int, int], *, seed: int, epoch: int, name: str) -> Tensor:
    """``(B, 2)`` int64: a pixel for each item."""
    size = torch.tensor(shape, device=items.device)
    drawn = (uniforms(items, seed=seed, epoch=epoch, name=name, n=2) * size).long()
    return torch.minimum(drawn, size - 1)


def cutout(images: Tensor, items: Tensor, side: int, *, seed: int, epoch: int) -> Tensor:
    """``(B, 3, H, W)`` float in [0, 1] with a square of ``side`` pixels greyed; in place."""
    shape = (images.shape[2], images.shape[3])
    centre = centres(items, shape, seed=seed, epoch=epoch, name="cutout")
    return images.masked_fill_(box_mask(centre, torch.full_like(centre, side), shape), GREY)
