"""RandAugment (Cubuk et al. 2020): n operations a picture, drawn from fourteen, all of one magnitude.

The operations and the table of magnitudes are torchvision's (31 magnitudes, 0 to 30); pictures are float in [0, 1],
geometry is bilinear and fills with mean grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor

from affekt.data.augmentation import colour, geometry, tone
from affekt.randomness import uniforms

LAST = 30
"""The largest magnitude."""

Operation = Callable[[Tensor, Tensor, float], Tensor]
"""(images (B, 3, H, W), sign (B,) of -1 or 1, magnitude in [0, 1] of the largest) -> images."""


def _factor(sign: Tensor, share: float) -> Tensor:
    return 1 + 0.9 * share * sign


def _pixels(images: Tensor, sign: Tensor, share: float, axis: int) -> Tensor:
    """Whole pixels, up to 150 of 331 (the size at which the table was made)."""
    return sign * math.trunc(150.0 / 331.0 * images.shape[axis] * share)


def _bits(images: Tensor, share: float) -> Tensor:
    kept = 8 - round(share * LAST / (LAST / 4))
    return torch.full((len(images),), kept, dtype=torch.int64, device=images.device)


def _translate_x(images: Tensor, sign: Tensor, share: float) -> Tensor:
    right = _pixels(images, sign, share, 3)
    return geometry.translate(images, right, torch.zeros_like(right))


def _translate_y(images: Tensor, sign: Tensor, share: float) -> Tensor:
    down = _pixels(images, sign, share, 2)
    return geometry.translate(images, torch.zeros_like(down), down)


OPERATIONS = MappingProxyType[str, Operation](
    {
        "identity": lambda images, sign, share: images,  # noqa: ARG005
        "shear-x": lambda images, sign, share: geometry.shear_x(images, 0.3 * share * sign),
        "shear-y": lambda images, sign, share: geometry.shear_y(images, 0.3 * share * sign),
        "translate-x": _translate_x,
        "translate-y": _translate_y,
        "rotate": lambda images, sign, share: geometry.rotate(images, 30 * share * sign),
        "brightness": lambda images, sign, share: colour.brightness(images, _factor(sign, share)),
        "colour": lambda images, sign, share: colour.saturation(images, _factor(sign, share)),
        "contrast": lambda images, sign, share: colour.contrast(images, _factor(sign, share)),
        "sharpness": lambda images, sign, share: tone.sharpness(images, _factor(sign, share)),
        "posterize": lambda images, sign, share: tone.posterize(images, _bits(images, share)),  # noqa: ARG005
        "solarize": lambda images, sign, share: tone.solarize(images, torch.full_like(sign, 1 - share)),
        "autocontrast": lambda images, sign, share: tone.autocontrast(images),  # noqa: ARG005
        "equalize": lambda images, sign, share: tone.equalize(images),  # noqa: ARG005
    }
)


def randaugment(images: Tensor, items: Tensor, n: int, magnitude: int, *, seed: int, epoch: int) -> Tensor:
    """``(B, 3, H, W)`` float in [0, 1] after ``n`` operations of ``magnitude`` (0 to 30), drawn for each item.

    Each operation is applied once a round to all pictures that drew it.
    """
    draws = uniforms(items.cpu(), seed=seed, epoch=epoch, name="randaugment", n=2 * n)
    operations = list(OPERATIONS.values())
    for turn in range(n):
        chosen = (draws[:, 2 * turn] * len(operations)).long()
        signs = torch.where(draws[:, 2 * turn + 1] < 0.5, -1.0, 1.0)
        out = images.clone()
        for number in sorted(set(chosen.tolist())):
            rows = (chosen == number).nonzero()[:, 0]
            there = rows.to(images.device)
            out[there] = operations[number](images[there], signs[rows].to(images.device), magnitude / LAST)
        images = out
    return images
