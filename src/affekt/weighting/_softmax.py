"""Softmax: learned weights that sum to one (Chae et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from affekt.weighting._base import Weighting


class Softmax(Weighting):
    """``w = softmax(a)``, ``a`` learned with the network and zero at the start (Chae et al., arXiv:1809.00758).

    Neither temperature nor regulariser, as published. Because ``dL/da_i = w_i (L_i - sum_j w_j L_j)``, descent moves
    weight to the *easier* task and, given time, all of it: with constant losses of 1.0 and 0.1 and Adam at 1e-4 the
    second weight passes 0.95 after some 16,000 steps. Watch ``weights`` in the log.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.a = nn.Parameter(torch.zeros(len(self.tasks)))

    def _weigh(self, losses: Tensor) -> Tensor:
        return torch.softmax(self.a.to(losses.dtype), dim=0)
