"""Contrast: the picture drawn towards mid-grey."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation

GREY = 0.5


def contrast(images: Tensor, strength: float, beside: Beside) -> Tensor:  # noqa: ARG001 - one form for all
    """``strength`` of the way to 0.5: a contrast level of c is strength 1 - c."""
    return torch.lerp(images, torch.full_like(images, GREY), strength)


MANIPULATIONS = (
    Manipulation(
        name="contrast",
        about="drawn towards mid-grey",
        unit="share of the contrast that is taken away",
        low=0,
        high=1,
        reference="Geirhos et al. 2018, NeurIPS (their level is 1 - strength)",
        apply=contrast,
    ),
)
