"""Log-mel spectrogram: power in triangular mel bands, four columns a frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from affekt.errors import UsageError

COLUMNS = 4
"""Columns of the spectrogram beside one frame: every 10 ms at 25 frames a second."""

WINDOW = 0.025
"""Seconds that one column looks at, weighted by a Hann window."""

LOWEST = 20.0
"""Hz at which the lowest band begins."""

FLOOR = 1e-10
"""Power added before the logarithm: the bottom is -23.03."""


class Spectrogram(torch.nn.Module):
    """``(B, T * samples)`` float in [-1, 1] -> ``(B, 4 T, bands)`` float32, natural logarithm of power.

    mel(f) = 2595 log10(1 + f / 700)          (O'Shaughnessy 1987; as in HTK)

    Band k is a triangle of height one on the points k, k + 1, k + 2 of bands + 2 points equally spaced in mel from 20
    Hz to half the rate. Column m looks at the samples around (m + 1/2) * samples / 4; before and after is silence.

    Args:
        rate: samples a second.
        samples: samples a frame, a multiple of 4.
        bands: of frequency.

    Raises:
        UsageError: a frame that cannot be cut in four, or so many bands that one holds no frequency.
    """

    window: Tensor
    bank: Tensor

    def __init__(self, rate: int, samples: int, bands: int) -> None:
        super().__init__()
        if samples % COLUMNS:
            raise UsageError(f"log-mel: {samples} samples a frame; a multiple of {COLUMNS} is asked")
        self.hop = samples // COLUMNS
        width = round(WINDOW * rate)
        self.size = 1 << (max(width, self.hop) - 1).bit_length()
        self.register_buffer("window", torch.hann_window(width), persistent=False)
        self.register_buffer("bank", filterbank(rate, self.size, bands), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        with torch.autocast(audio.device.type, enabled=False):
            before = self.size // 2 - self.hop // 2
            padded = F.pad(audio.float(), (before, self.size - self.hop - before))
            window = self.window.float()
            spectrum = torch.stft(padded, self.size, self.hop, len(window), window, center=False, return_complex=True)
            power = torch.view_as_real(spectrum).square().sum(-1)
            return torch.log(power.transpose(1, 2) @ self.bank.float() + FLOOR)


def filterbank(rate: int, size: int, bands: int) -> Tensor:
    """``(size // 2 + 1, bands)`` float32: the weight of each frequency of a transform of ``size`` samples in each band.

    Raises:
        UsageError: so many bands that one holds no frequency.
    """
    frequencies = torch.arange(size // 2 + 1, dtype=torch.float64) * rate / size
    mels = torch.linspace(_mel(LOWEST), _mel(rate / 2), bands + 2, dtype=torch.float64)
    points = 700 * (10 ** (mels / 2595) - 1)
    low, middle, high = points[:-2], points[1:-1], points[2:]
    rising = (frequencies[:, None] - low) / (middle - low)
    falling = (high - frequencies[:, None]) / (high - middle)
    bank = torch.minimum(rising, falling).clamp(min=0).float()
    if not bool((bank > 0).any(dim=0).all()):
        raise UsageError(f"bands = {bands}: some would hold no frequency at {rate} Hz; write fewer")
    return bank


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
