"""Uniform: the mean of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.weighting._base import Weighting


class Uniform(Weighting):
    """``w_i = 1/n``; the "1/2 + 1/2" baseline of Chae et al., arXiv:1809.00758."""

    def _weigh(self, losses: Tensor) -> Tensor:
        return torch.full_like(losses, 1 / len(self.tasks))
