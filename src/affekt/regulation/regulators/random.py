"""Random: an r that is drawn for each picture, from nothing but its pixels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from affekt.errors import UsageError
from affekt.randomness import uniforms
from affekt.regulation.regulators.base import Regulator

SIDE = 64
"""Pixels that count, along each side: a regular grid of a larger picture."""


class Random(Regulator):
    """``r ~ U(0, 1)``, a hash of the picture as the model is given it, rounded to 8 bits.

    So r has nothing to do with emotion and is a pure function of the picture: the same picture has the same r in every
    batch, process and run, and on every device. An augmented picture is another picture: in training a stimulus gets
    a new r whenever its crop or flip differs.
    """

    uses_affect: ClassVar[bool] = False

    def weigh(self, affect: Tensor) -> Tensor:
        raise UsageError(
            f'regulator "random": r is drawn from pictures, not from {len(affect)} states; give images too'
        )

    def forward(self, affect: Tensor, images: Tensor | None = None, features: Tensor | None = None) -> Tensor:
        del features
        if images is None:
            return self.weigh(affect)
        return uniforms(picture_keys(images), seed=0, epoch=0, name="random regulator").to(affect.device)


@torch.no_grad()
def picture_keys(images: Tensor) -> Tensor:
    """``(B, C, H, W)`` uint8, or float in [0, 1] -> ``(B,)`` int64, a hash of each picture's 8-bit values."""
    step = -(-max(images.shape[2:]) // SIDE)
    pixels = images[:, :, ::step, ::step].flatten(1)
    values = pixels.long() if pixels.dtype == torch.uint8 else (pixels.float() * 255).round().long()
    places = torch.arange(values.shape[1], device=values.device)
    factors = (uniforms(places, seed=0, epoch=0, name="picture keys", n=2) * 2**24).long()
    return (values * ((factors[:, 0] << 24) + factors[:, 1])).sum(dim=1)
