"""Scalar: one learned r, the same for every picture; learning without affect."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from affekt.regulation.regulators.base import Regulator, RegulatorSetup
from affekt.regulation.regulators.learned import start


class Scalar(Regulator):
    """``r = sigmoid(b)``; b starts as ``learned`` does."""

    uses_affect: ClassVar[bool] = False

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__(setup)
        self.bias = nn.Parameter(torch.zeros(1))
        start(None, self.bias, setup.start)

    def weigh(self, affect: Tensor) -> Tensor:
        return torch.sigmoid(self.bias.float()).expand(len(affect), 1)
