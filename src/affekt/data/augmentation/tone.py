"""Tone: operations on the levels of a picture - sharpness, posterize, solarize, autocontrast, equalize.

Pictures are float in [0, 1]; what torchvision defines on the 256 levels of uint8 is done on those levels.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _levels(images: Tensor) -> Tensor:
    """``(B, 3, H, W)`` int64, 0 to 255."""
    return images.mul(255).round_().to(torch.int64)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Away from, or towards, a 3 x 3 smoothing (5 in the middle, 1 around, of 13); the border stays as it is."""
    height, width = images.shape[-2:]
    if min(height, width) < 3:
        return images
    around = torch.zeros_like(images[..., 1:-1, 1:-1])
    for down in range(3):
        for right in range(3):
            weight = 5.0 if down == right == 1 else 1.0
            around += weight * images[..., down : down + height - 2, right : right + width - 2]
    smooth = images.clone()
    smooth[..., 1:-1, 1:-1] = around / 13
    share = factor[:, None, None, None]
    return (share * images + (1 - share) * smooth).clamp_(0, 1)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """The highest ``(B,)`` int64 ``bits`` (0 to 8) of each level."""
    mask = 256 - (1 << (8 - bits))
    return (_levels(images) & mask[:, None, None, None]).to(torch.float32) / 255


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Levels at or above ``(B,)`` ``threshold``, in [0, 1], inverted."""
    return torch.where(images >= threshold[:, None, None, None], 1 - images, images)


def autocontrast(images: Tensor) -> Tensor:
    """Each channel stretched from its darkest to its lightest level; a channel of one level stays."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    flat = high == low
    stretched = (images - low) / torch.where(flat, 1.0, high - low)
    return torch.where(flat, images, stretched).clamp_(0, 1)


def equalize(images: Tensor) -> Tensor:
    """Each channel's histogram made even, by Pillow's rule; a channel of one level stays."""
    b, c, height, width = images.shape
    levels = _levels(images).view(b * c, height * width)
    counts = torch.zeros((b * c, 256), dtype=torch.int64, device=images.device)
    counts.scatter_add_(1, levels, torch.ones_like(levels))
    top = levels.amax(dim=1, keepdim=True)
    step = (height * width - counts.gather(1, top)) // 255
    below = counts.cumsum(1) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255)
    table = torch.where(step == 0, torch.arange(256, device=images.device), table)
    return table.gather(1, levels).view(b, c, height, width).to(torch.float32) / 255
