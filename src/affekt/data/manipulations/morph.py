"""Morph: from one face to another - warped to each other where landmarks are given, else cross-faded pixel by pixel.

No landmarks are found here: they come from whoever marked the faces, or from a detector of one's own. Without them
nothing is warped, and unless both faces are aligned, halfway shows two pairs of eyes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def morph(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """``1 - strength`` of each picture plus ``strength`` of the other of its pair, in a shape between theirs."""
    assert beside.others is not None  # the caller has checked it
    if beside.landmarks is None:
        return torch.lerp(images, beside.others, strength)
    from affekt.data.manipulations.warping import warped_morph

    return warped_morph(images, beside.others, *beside.landmarks, strength)


MANIPULATIONS = (
    Manipulation(
        name="morph",
        about="cross-fade to a second face; with landmarks of both, warped to each other",
        unit="share of the second face",
        low=0,
        high=1,
        reference="Benson & Perrett 1993, Perception 22:257; without landmarks the plain average of aligned faces",
        apply=morph,
        pairs=True,
    ),
)
