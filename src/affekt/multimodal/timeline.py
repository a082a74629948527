"""Timeline: the frames of a clip, the samples of sound beside each, and which of them are no padding."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.errors import UsageError


def samples_per_frame(rate: int, fps: float) -> int:
    """Samples of sound beside one picture: 640 at 16 kHz and 25 pictures a second.

    Raises:
        UsageError: it is no whole number.
    """
    samples = rate / fps
    if samples < 1 or abs(samples - round(samples)) > 1e-9:
        raise UsageError(
            f"rate = {rate}, fps = {fps:g}: {samples:.6g} samples a picture; a whole number is asked, as of "
            "rate = 16000, fps = 25"
        )
    return round(samples)


def within(lengths: Tensor, total: int) -> Tensor:
    """``(B,)`` lengths -> ``(B, total)`` bool: the first of each row, as many as its length says."""
    return torch.arange(total, device=lengths.device) < lengths[:, None]


def silenced(x: Tensor, lengths: Tensor) -> Tensor:
    """``(B, C, L)`` with zeros from each clip's end on, whatever stood there.

    What a convolution reads beyond the end is then what it would read of the clip alone.
    """
    return torch.where(within(lengths, x.shape[-1])[:, None], x, x.new_zeros(()))
