"""Reverberation: a synthetic room - the direct sound and a tail of noise that decays exponentially (Polack 1988)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from affekt.data.audiovisual.augmentation.noise import normals, rms

_TAIL = 4.8
"""Amplitude of the tail where it begins, times the root of the rate (noise of n samples adds up to the root of n times
one, so that a room sounds alike at any rate): with a decay of 0.4 s the direct sound is 2 dB above the whole tail."""


def rooms(items: Tensor, decay: Tensor, rate: int, *, seed: int, epoch: int) -> Tensor:
    """``(B, R)`` impulse responses: 1 at sample 0, then noise that is 60 dB down, and ends, ``decay`` seconds later.

    R samples hold the longest; what a room is does not depend on the others.

    Args:
        decay: ``(B,)`` seconds.
    """
    reach = max(1, math.ceil(float(decay.max()) * rate))
    seconds = torch.arange(reach, device=decay.device, dtype=torch.float32) / rate
    noise = normals(items, reach, seed=seed, epoch=epoch, name="room")
    falling = torch.exp(-3 * math.log(10) * seconds / decay[:, None])
    room = noise * falling * (seconds < decay[:, None]) * (_TAIL / math.sqrt(rate))
    room[:, 0] = 1.0
    return room


def reverberate(audio: Tensor, inside: Tensor, room: Tensor) -> Tensor:
    """``(B, S)`` heard in rooms ``(B, R)``: convolved, cut off at the clip's end, at the level it had.

    Args:
        inside: ``(B, S)`` bool, the samples that are no padding.
    """
    n = audio.shape[1] + room.shape[1] - 1
    size = 1 << (n - 1).bit_length()
    spectrum = torch.fft.rfft(audio, size) * torch.fft.rfft(room, size)
    wet: Tensor = torch.fft.irfft(spectrum, size)[:, : audio.shape[1]] * inside
    return wet * (rms(audio, inside) / rms(wet, inside).clamp(min=1e-12))[:, None]
