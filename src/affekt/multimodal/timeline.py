"""Timeline: which of a batch's frames and samples are no padding."""

from __future__ import annotations

import torch
from torch import Tensor


def within(lengths: Tensor, total: int) -> Tensor:
    """``(B,)`` lengths -> ``(B, total)`` bool: the first of each row, as many as its length says."""
    return torch.arange(total, device=lengths.device) < lengths[:, None]


def silenced(x: Tensor, lengths: Tensor) -> Tensor:
    """``(B, C, L)`` with zeros from each clip's end on, whatever stood there.

    What a convolution reads beyond the end is then what it would read of the clip alone.
    """
    return torch.where(within(lengths, x.shape[-1])[:, None], x, x.new_zeros(()))
