"""Spatial frequency: Gaussian low-pass and high-pass; the two of one cutoff add up to the picture and its mean.

The cutoff is in cycles per picture (per its shorter side, where sides differ); at the cutoff, half of the amplitude
passes. The picture is mirrored at its borders, so that opposite borders do not bleed into each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.data.manipulations.description import Beside, Manipulation


def _passed(images: Tensor, cutoff: float) -> Tensor:
    """``(2 H, 2 W)``: share of each frequency's amplitude that the low-pass passes, 2 ** -(f / cutoff) ** 2."""
    height, width = images.shape[-2:]
    side = min(height, width)
    down, right = (torch.fft.fftfreq(2 * n, dtype=torch.float64) * side for n in (height, width))
    squared = down[:, None].square() + right[None, :].square()
    passed = torch.exp2(-squared / cutoff**2) if cutoff > 0 else torch.zeros_like(squared)
    passed[0, 0] = 1.0
    return passed


def _filtered(images: Tensor, gain: Tensor) -> Tensor:
    """Each channel by itself, so that equal channels and other batches give the same bits."""
    height, width = images.shape[-2:]
    out = torch.empty_like(images)
    for row in range(len(images)):
        for channel in range(3):
            wide = torch.cat([images[row, channel], images[row, channel].flip(1)], dim=1)
            whole = torch.cat([wide, wide.flip(0)], dim=0)
            out[row, channel] = torch.fft.ifft2(torch.fft.fft2(whole) * gain).real[:height, :width]
    return out


def low_pass(images: Tensor, strength: float, beside: Beside) -> Tensor:  # noqa: ARG001 - one form for all
    """Gaussian low-pass: half of the amplitude passes at ``strength`` cycles per picture."""
    return _filtered(images, _passed(images, strength))


def high_pass(images: Tensor, strength: float, beside: Beside) -> Tensor:  # noqa: ARG001 - one form for all
    """What :func:`low_pass` takes away, around the mean of each channel, which is kept."""
    gain = 1 - _passed(images, strength)
    gain[0, 0] = 1.0
    return _filtered(images, gain)


_REFERENCE = "Schyns & Oliva 1999, Cognition 69:243; Goffaux & Rossion 2006, J. Exp. Psychol. HPP 32:1023"

MANIPULATIONS = (
    Manipulation(
        name="low-pass",
        about="Gaussian low-pass: blurred",
        unit="cutoff where half of the amplitude passes, cycles per picture: smaller is blurrier, 0 leaves the mean",
        low=0,
        high=1000,
        reference=_REFERENCE,
        apply=low_pass,
        unchanged=None,
    ),
    Manipulation(
        name="high-pass",
        about="Gaussian high-pass around the picture's mean: fine detail only",
        unit="cutoff where half of the amplitude passes, cycles per picture: larger leaves less",
        low=0,
        high=1000,
        reference=_REFERENCE,
        apply=high_pass,
    ),
)
