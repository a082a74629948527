"""Uniform: the mean of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.weighting._base import WeightedSum


class Uniform(WeightedSum):
    """``w_i = 1/n``

    The "1/2 + 1/2" baseline of Chae et al., arXiv:1809.00758.
    """

    name = "uniform"
    watched = False

    def _weigh(self, losses: Tensor) -> Tensor:
        return torch.full_like(losses, 1 / len(self.tasks))
