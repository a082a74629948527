"""Noise: uniform, added to each pixel, the same in all channels."""

from __future__ import annotations

from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def noise(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """Each pixel plus a number drawn evenly from [-strength, strength); the picture's contrast is not lowered first."""
    b, _, height, width = images.shape
    drawn = (2 * beside.draws("noise", height * width) - 1).view(b, 1, height, width)
    return images + strength * drawn


MANIPULATIONS = (
    Manipulation(
        name="noise",
        about="uniform noise added to each pixel, equal in all channels, then clipped",
        unit="half width of the uniform distribution, of the range black to white",
        low=0,
        high=1,
        reference="Geirhos et al. 2018, NeurIPS (who lower the contrast to 0.3 first: not done here)",
        apply=noise,
        random=True,
    ),
)
