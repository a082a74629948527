"""Learned: r by an affine map of the affect state that is trained with the branches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.regulation.regulators.base import Regulator, RegulatorSetup


class Learned(Regulator):
    """``r = sigmoid(w . e + b)``.

    ``start = "balanced"``: w = 0, b = 0, so r = 0.5 for every picture; ``"random"``: w ~ N(0, 1/A), b ~ N(0, 1);
    ``"drawn"``: w = 0, b = logit(u), u ~ U(0, 1). Draws come from torch's generator, as other initial weights.
    """

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__(setup)
        self.affine = nn.Linear(len(setup.state_names), self.count(setup))
        start(self.affine.weight, self.affine.bias, setup.start)

    @staticmethod
    def count(_setup: RegulatorSetup) -> int:
        """How many weights r a picture has."""
        return 1

    def weigh(self, affect: Tensor) -> Tensor:
        with torch.autocast(affect.device.type, enabled=False):
            return torch.sigmoid(self.affine(affect.to(self.affine.weight.dtype))).float()


@torch.no_grad()
def start(weight: Tensor | None, bias: Tensor, how: str) -> None:
    """Set the parameters of a logistic regulator: ``(n, A)`` weight, or None, and ``(n,)`` bias."""
    if weight is not None:
        weight.zero_()
        if how == "random":
            weight.normal_(std=weight.shape[1] ** -0.5)
    bias.zero_()
    if how == "random":
        bias.normal_()
    elif how == "drawn":
        bias.fill_(float(torch.logit(torch.rand(()), eps=1e-3)))
