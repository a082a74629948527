"""Softmax: learned weights that sum to one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from affekt.weighting._simplex import Normalise, Simplex


class Softmax(Simplex):
    """``w = softmax(a)``, ``a`` learned with the network and zero at the start

    Chae et al., arXiv:1809.00758; as published, without regulariser, temperature or floor: these are ours, and off.

    Because ``dL/da_i = w_i (L_i - sum_j w_j L_j)``, descent moves weight to the *easier* task and, given time, all of
    it: with constant losses of 1.0 and 0.1 and Adam at 1e-4 the second weight passes 0.95 after some 16,000 steps.
    A floor keeps a part of the weight for each task. A temperature only delays the collapse under Adam, whose steps do
    not follow the size of the gradient. Normalised by its running mean no loss is the easier one.

    Args:
        tasks: the names of the losses.
        floor, temperature, normalise: as :class:`Simplex`.
    """

    name = "softmax"
    collapse = "yes, onto the easier task"

    def __init__(
        self, tasks: Sequence[str], *, floor: float = 0.0, temperature: float = 1.0, normalise: Normalise = "none"
    ) -> None:
        super().__init__(tasks, floor=floor, temperature=temperature, normalise=normalise)
        self.a = nn.Parameter(torch.zeros(len(self.tasks)))

    @property
    def instead(self) -> str:
        floor = min(0.1, 0.5 / len(self.tasks))
        return f'set floor = {floor:.2g} or normalise = "running" in [weighting], or use name = "uniform"'

    def _scores(self, losses: Tensor) -> Tensor:
        return self.a.to(losses.dtype)
