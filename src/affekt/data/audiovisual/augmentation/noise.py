"""Noise: white noise at a signal-to-noise ratio, over the clip's own length."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from affekt.randomness import uniforms


def normals(items: Tensor, n: int, *, seed: int, epoch: int, name: str) -> Tensor:
    """``(B, n)`` float32 standard normal draws, by Box and Muller (1958); draw j does not depend on n."""
    drawn = uniforms(items, seed=seed, epoch=epoch, name=name, n=2 * n)
    radius = torch.sqrt(-2 * torch.log1p(-drawn[:, 0::2]))
    return radius * torch.cos(2 * math.pi * drawn[:, 1::2])


def add_noise(audio: Tensor, inside: Tensor, items: Tensor, snr: Tensor, *, seed: int, epoch: int) -> Tensor:
    """``(B, S)`` with white noise whose power is exactly ``snr`` dB below that of the sound; silence stays silent.

    Args:
        inside: ``(B, S)`` bool, the samples that are no padding.
        snr: ``(B,)`` dB; infinity adds nothing.
    """
    noise = normals(items, audio.shape[1], seed=seed, epoch=epoch, name="noise") * inside
    return audio + noise * (rms(audio, inside) / rms(noise, inside).clamp(min=1e-12) * 10 ** (-snr / 20))[:, None]


def rms(audio: Tensor, inside: Tensor) -> Tensor:
    """``(B,)`` root of the mean square over the samples inside."""
    power = (audio.square() * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
    return power.sqrt()
