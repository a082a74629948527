"""Phase scramble: Fourier phases moved by random angles, the same in all channels; the amplitude spectrum is kept."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def _odd(angles: Tensor) -> Tensor:
    """``(H, W)`` angles made odd, a(-f) = -a(f), as the phases of a picture are.

    Of each pair of frequencies f and -f, one keeps its angle. Those that are their own mirror (the mean, and the
    highest of an even side) get 0: any other angle would make them complex.
    """
    height, width = angles.shape
    rows, columns = (-torch.arange(n) % n for n in (height, width))
    number = torch.arange(height * width).view(height, width)
    mirror = number[rows][:, columns]
    return torch.where(number < mirror, angles, -angles[rows][:, columns]).masked_fill_(number == mirror, 0.0)


def phase_scramble(images: Tensor, strength: float, beside: Beside) -> Tensor:
    """Every phase moved by ``strength`` times an angle drawn evenly from [-pi, pi), the mean left as it is.

    The amplitude spectrum is kept up to the clipping to [0, 1] that follows, which a picture of high contrast needs.
    The transform takes the picture as periodic: strong differences between opposite borders come out as lines.
    """
    b, _, height, width = images.shape
    angles = (2 * beside.draws("phase-scramble", height * width) - 1).view(b, height, width) * math.pi
    out = torch.empty_like(images)
    for row in range(b):
        turn = torch.polar(torch.ones_like(angles[row]), strength * _odd(angles[row]))
        for channel in range(3):  # alone, so that equal channels and other batches give the same bits
            out[row, channel] = torch.fft.ifft2(torch.fft.fft2(images[row, channel]) * turn).real
    return out


MANIPULATIONS = (
    Manipulation(
        name="phase-scramble",
        about="Fourier phases moved by random angles, equal in all channels; amplitudes kept (up to clipping)",
        unit="share of a random angle in [-pi, pi) that is added: 1 is fully scrambled",
        low=0,
        high=1,
        reference="Oppenheim & Lim 1981, Proc. IEEE 69:529 (what phase and amplitude each carry)",
        apply=phase_scramble,
        random=True,
    ),
)
