"""Log-mel spectrogram: power in triangular mel bands, aligned with the frames of the pictures.

    mel(f) = 2595 log10(1 + f / 700)          (O'Shaughnessy 1987; as in HTK)

Band k is a triangle of height one between the points k, k + 1 and k + 2 of n + 2 points equally spaced in mel from 20
Hz to half the rate. Windows are 25 ms (Hann), four to a picture: at 16 kHz and 25 pictures a second every 10 ms, column
m about the samples (m + 1/2) * 160.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affekt.data.audiovisual.clips import Floats32
from affekt.data.audiovisual.timeline import samples_per_frame
from affekt.errors import UsageError

COLUMNS = 4
"""Columns of the spectrogram beside one picture."""

LOWEST = 20.0
"""Hz at which the lowest band begins."""

FLOOR = 1e-10
"""Power added before the logarithm: the bottom is -23.03."""

_WINDOW = 0.025


def log_mel(audio: Tensor, rate: int = 16_000, fps: float = 25.0, bands: int = 64) -> Tensor:
    """``(B, T * rate / fps)`` float32 in [-1, 1] -> ``(B, 4 T, bands)`` float32, natural logarithm of power.

    Raises:
        UsageError: a number of samples that is no whole number of frames, or a frame that cannot be cut into four.
    """
    frame = samples_per_frame(rate, fps)
    if audio.shape[-1] % frame or frame % COLUMNS:
        raise UsageError(
            f"log-mel: {audio.shape[-1]} samples in frames of {frame}: whole frames are needed, each a multiple of "
            f"{COLUMNS} samples"
        )
    hop, window = frame // COLUMNS, round(_WINDOW * rate)
    size = max(_power_of_two(window), _power_of_two(hop))
    # Column m covers the `size` samples around its middle, (m + 1/2) * hop, of which the window weights 25 ms.
    before = size // 2 - hop // 2
    padded = torch.nn.functional.pad(audio, (before, size - hop - before))
    spectrum = torch.stft(
        padded, size, hop, window, torch.hann_window(window, device=audio.device), center=False, return_complex=True
    )
    power = spectrum.real.square() + spectrum.imag.square()
    bank = torch.from_numpy(filterbank(rate, size, bands)).to(audio.device)
    return torch.log(power.transpose(1, 2) @ bank + FLOOR)


@lru_cache(maxsize=8)
def filterbank(rate: int, size: int, bands: int) -> Floats32:
    """``(size // 2 + 1, bands)`` float32: the weight of each frequency of a transform of ``size`` samples in each band.

    Raises:
        UsageError: so many bands that one holds no frequency.
    """
    frequencies = np.arange(size // 2 + 1) * rate / size
    points = _hertz(np.linspace(_mel(LOWEST), _mel(rate / 2), bands + 2))
    low, middle, high = points[:-2], points[1:-1], points[2:]
    rising = (frequencies[:, None] - low) / (middle - low)
    falling = (high - frequencies[:, None]) / (high - middle)
    bank: Floats32 = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    if not (bank.max(axis=0) > 0).all():
        raise UsageError(f"mels = {bands}: some bands would hold no frequency at {rate} Hz; write fewer")
    return bank


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz: NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hertz


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()
