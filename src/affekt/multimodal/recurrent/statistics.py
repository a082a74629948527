"""Statistics: mean and standard deviation over the clip's steps; no order, no parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.multimodal.recurrent.base import Recurrent
from affekt.multimodal.recurrent.mean import mean_over
from affekt.multimodal.timeline import within

LEAST = 1e-6
"""Of a variance, so that a clip of one step has a gradient."""


class Statistics(Recurrent):
    """Mean and standard deviation of the fused features over the clip's steps, side by side (X-vectors, Snyder et al.
    2018); ``hidden`` and ``layers`` say nothing here."""

    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__(size, hidden, layers)
        self.num_features = 2 * size

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        mean = mean_over(steps, lengths)
        valid = within(lengths, steps.shape[1])[:, :, None]
        apart = torch.where(valid, steps - mean[:, None], steps.new_zeros(()))
        spread = (mean_over(apart.square(), lengths) + LEAST).sqrt()
        return torch.cat([mean, spread], dim=1)
