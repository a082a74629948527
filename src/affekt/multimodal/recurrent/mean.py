"""Mean: the mean over the clip's steps; no order, no parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.multimodal.recurrent.base import Recurrent
from affekt.multimodal.timeline import within


class Mean(Recurrent):
    """The mean of the fused features over the clip's steps; ``hidden`` and ``layers`` say nothing here."""

    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__(size, hidden, layers)
        self.num_features = size

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return mean_over(steps, lengths)


def mean_over(steps: Tensor, lengths: Tensor) -> Tensor:
    """``(B, T, D)`` -> ``(B, D)``: the mean of each clip's own steps."""
    valid = within(lengths, steps.shape[1])[:, :, None]
    total = torch.where(valid, steps, steps.new_zeros(())).sum(1, dtype=torch.float32)
    return (total / lengths[:, None]).to(steps.dtype)
