"""Inversion: the picture upside down (turned by 180 degrees in its plane), which spares parts and hurts faces."""

from __future__ import annotations

from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def invert(images: Tensor, strength: float, beside: Beside) -> Tensor:  # noqa: ARG001 - one form for all
    """Turned by 180 degrees; pixels are moved, not resampled."""
    return images.flip(2, 3)


MANIPULATIONS = (
    Manipulation(
        name="inversion",
        about="upside down, turned by 180 degrees in its plane",
        unit="0 upright or 1 upside down",
        low=0,
        high=1,
        reference="Yin 1969, J. Exp. Psychol. 81:141",
        apply=invert,
        whole=True,
    ),
)
