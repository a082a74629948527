"""UW: uncertainty weighting, with a learned log-variance for each task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from affekt.weighting._base import WeightedSum


class UW(WeightedSum):
    """``sum_i (exp(-s_i) L_i + s_i) / 2``, ``s`` learned with the network and zero at the start

    Kendall et al. 2018, CVPR, arXiv:1705.07115, with the factor 1/2 of a regression for every loss. At rest
    ``exp(-s_i) = 1 / L_i``: a loss counts by its relative change, whatever its size; one that can go to 0, or below,
    gets weight without end.
    """

    name = "uw"
    scale_free = True
    collapse = "where a loss can reach 0 or less"

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.s = nn.Parameter(torch.zeros(len(self.tasks)))

    @property
    def instead(self) -> str:
        return 'use name = "uw-so", whose temperature can be raised, or "uniform" in [weighting]'

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        scalar, weights = super()._combine(losses)
        return scalar + self.s.to(losses.dtype).sum() / 2, weights

    def _weigh(self, losses: Tensor) -> Tensor:
        return torch.exp(-self.s.to(losses.dtype)) / 2
