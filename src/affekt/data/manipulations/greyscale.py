"""Greyscale: colour drawn towards each pixel's luma."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation

WEIGHTS = (0.299, 0.587, 0.114)
"""Red, green and blue in luma (ITU-R BT.601); they sum to 1, so that grey pixels stay as they are."""


def greyscale(images: Tensor, strength: float, beside: Beside) -> Tensor:  # noqa: ARG001 - one form for all
    """``strength`` of the way from each pixel to its luma."""
    red, green, blue = images.unbind(1)
    luma = WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue
    return torch.lerp(images, luma[:, None].expand_as(images), strength)


MANIPULATIONS = (
    Manipulation(
        name="greyscale",
        about="colour drawn towards luma (ITU-R BT.601)",
        unit="share of the colour that is taken away",
        low=0,
        high=1,
        reference="Geirhos et al. 2018, NeurIPS",
        apply=greyscale,
    ),
)
