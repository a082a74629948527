"""Morph: a cross-fade between two faces, pixel by pixel.

No landmarks are found and nothing is warped: unless both faces are aligned, halfway shows two pairs of eyes. For a
morph by landmarks, warp the faces to each other elsewhere and bring the results as pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def morph(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """``1 - strength`` of each picture plus ``strength`` of the other of its pair."""
    assert beside.others is not None  # the caller has checked it
    return torch.lerp(images, beside.others, strength)


MANIPULATIONS = (
    Manipulation(
        name="morph",
        about="cross-fade to a second face; landmark-free, nothing is warped",
        unit="share of the second face",
        low=0,
        high=1,
        reference="the plain average of aligned faces, without the warp of Benson & Perrett 1993, Perception 22:257",
        apply=morph,
        pairs=True,
    ),
)
