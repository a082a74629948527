"""Baselines without a network: small pictures as they are, and their colour and contrast."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

PIXELS_SIDE = 32

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue (ITU-R BT.709)."""


def pixels(images: Tensor) -> Tensor:
    """``(B, 3072)``: the picture at 32 x 32, in [0, 1]; from ``(B, 3, S, S)`` uint8."""
    return F.adaptive_avg_pool2d(images.float() / 255, PIXELS_SIDE).flatten(1)


def low_level(images: Tensor) -> Tensor:
    """``(B, 9)``: mean and standard deviation of red, green and blue, that of luminance (contrast), mean saturation
    (largest less smallest channel) and mean absolute gradient of luminance; from ``(B, 3, S, S)`` uint8."""
    x = images.float() / 255
    luminance = torch.einsum("c,bchw->bhw", x.new_tensor(LUMINANCE), x)
    gradient = luminance.diff(dim=1).abs().mean((1, 2)) + luminance.diff(dim=2).abs().mean((1, 2))
    single = (luminance.std((1, 2), correction=0), (x.amax(1) - x.amin(1)).mean((1, 2)), gradient)
    return torch.cat([x.mean((2, 3)), x.std((2, 3), correction=0), torch.stack(single, dim=1)], dim=1)


BASELINES: dict[str, Callable[[Tensor], Tensor]] = {"pixels": pixels, "low-level": low_level}
