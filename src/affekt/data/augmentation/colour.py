"""Colour: brightness, contrast, saturation and hue of each sample by its own factor, as torchvision defines them."""

from __future__ import annotations

import torch
from torch import Tensor

_GREY_WEIGHTS = (0.2989, 0.587, 0.114)  # ITU-R 601-2 luma, the digits that torchvision uses


def grey(images: Tensor) -> Tensor:
    """``(B, 1, H, W)`` luma."""
    red, green, blue = images.unbind(1)
    return (_GREY_WEIGHTS[0] * red + _GREY_WEIGHTS[1] * green + _GREY_WEIGHTS[2] * blue)[:, None]


def _blend(images: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """``factor`` of the images and the rest of ``other``: 0 is other, 1 the image, above 1 away from other."""
    share = factor[:, None, None, None]
    return (share * images + (1 - share) * other).clamp_(0, 1)


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """``(B, 3, H, W)`` in [0, 1] times ``(B,)``."""
    return (images * factor[:, None, None, None]).clamp_(0, 1)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Away from, or towards, the mean luma of each picture.

    The mean is taken over luma rounded to 1/255, in whole numbers: a sum of floats would depend on the batch's shape.
    """
    level = grey(images).mul(255).round_().to(torch.int64)
    mean = level.sum(dim=(1, 2, 3)).to(torch.float32) / (level[0].numel() * 255)
    return _blend(images, mean[:, None, None, None], factor)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Away from, or towards, each pixel's luma."""
    return _blend(images, grey(images), factor)


def hue(images: Tensor, shift: Tensor) -> Tensor:
    """Hue turned by ``(B,)`` shares of the colour circle, in HSV."""
    turned, strength, value = _to_hsv(images)
    turned = (turned + shift[:, None, None]).remainder(1.0)
    return _from_hsv(turned, strength, value)


def _to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in [0, 1), saturation and value, each ``(B, H, W)``."""
    red, green, blue = images.unbind(1)
    value = images.amax(dim=1)
    spread = value - images.amin(dim=1)
    safe = torch.where(spread == 0, 1.0, spread)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return (sector / 6).remainder(1.0), spread / torch.where(value == 0, 1.0, value), value


def _from_hsv(turned: Tensor, strength: Tensor, value: Tensor) -> Tensor:
    """``(B, 3, H, W)``: f(n) = V - V S max(0, min(k, 4 - k, 1)), k = (n + 6 H) mod 6, for n = 5, 3, 1."""
    offsets = torch.tensor([5.0, 3.0, 1.0], device=turned.device)[None, :, None, None]
    k = (offsets + 6 * turned[:, None]).remainder(6.0)
    return value[:, None] * (1 - strength[:, None] * torch.minimum(k, 4 - k).clamp(0, 1))
