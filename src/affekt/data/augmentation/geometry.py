"""Geometry: shear, translation and rotation of each sample by its own amount.

Bilinear, uncovered pixels mean grey; angles and signs as in torchvision's functional API.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

GREY = 0.5


def flip(images: Tensor, flipped: Tensor) -> Tensor:
    """``(B, C, H, W)`` mirrored left to right where ``(B,)`` bool ``flipped`` says so."""
    return torch.where(flipped[:, None, None, None], images.flip(3), images)


def _resample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Images at source pixels ``x``, ``y``: ``(B, H, W)``, in pixels, the middle of the first pixel at 0.5."""
    height, width = images.shape[-2:]
    grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], dim=3)
    moved = grid_sample(images - GREY, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return moved.add_(GREY).clamp_(0, 1)


def _pixels(images: Tensor) -> tuple[Tensor, Tensor]:
    """``(1, 1, W)`` and ``(1, H, 1)``: the middles of the columns and of the rows."""
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) + 0.5
    y = torch.arange(height, device=images.device) + 0.5
    return x[None, None, :], y[None, :, None]


def shear_x(images: Tensor, amount: Tensor) -> Tensor:
    """Rows moved left by ``amount`` times their distance from the top; ``(B,)`` pixels a pixel."""
    x, y = _pixels(images)
    return _resample(images, x + amount[:, None, None] * y, y.expand(len(images), -1, x.shape[2]))


def shear_y(images: Tensor, amount: Tensor) -> Tensor:
    """Columns moved up by ``amount`` times their distance from the left."""
    x, y = _pixels(images)
    return _resample(images, x.expand(len(images), y.shape[1], -1), y + amount[:, None, None] * x)


def translate(images: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Moved by ``(B,)`` pixels each way."""
    x, y = _pixels(images)
    shape = (len(images), y.shape[1], x.shape[2])
    return _resample(images, (x - right[:, None, None]).expand(shape), (y - down[:, None, None]).expand(shape))


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turned counter-clockwise about the centre."""
    height, width = images.shape[-2:]
    x, y = _pixels(images)
    x, y = x - width / 2, y - height / 2
    angle = torch.deg2rad(degrees)[:, None, None]
    cosine, sine = angle.cos(), angle.sin()
    return _resample(images, cosine * x - sine * y + width / 2, sine * x + cosine * y + height / 2)
