"""Valence: the more pleasant the picture, the larger r."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.affect import polarity
from affekt.errors import UsageError
from affekt.regulation.regulators.base import Regulator, RegulatorSetup


class Valence(Regulator):
    """``r = sigmoid(v)``, v the standardised valence; nothing is learned.

    Where the state has no rating of valence, v is the mean of its positive categories minus that of its negative ones.

    Raises:
        UsageError: a state with neither valence nor categories of both polarities.
    """

    direction: Tensor

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__(setup)
        self.register_buffer("direction", valence_direction(setup.state_names), persistent=False)

    def weigh(self, affect: Tensor) -> Tensor:
        return torch.sigmoid((affect.float() * self.direction).sum(dim=1, keepdim=True))


def valence_direction(names: tuple[str, ...]) -> Tensor:
    """``(A,)``: what each number of the state counts towards its valence."""
    if "valence" in names:
        return torch.tensor([float(name == "valence") for name in names])
    signs = [_polarity(name) for name in names]
    counts = {sign: signs.count(sign) for sign in ("positive", "negative")}
    if not all(counts.values()):
        raise UsageError(
            f'regulator "valence": the affect state is {", ".join(names)}; it needs valence, or categories of both '
            "polarities. learned and intensity work with any state"
        )
    weights = {"positive": 1 / counts["positive"], "negative": -1 / counts["negative"]}
    return torch.tensor([weights.get(sign or "", 0.0) for sign in signs])


def _polarity(name: str) -> str | None:
    try:
        return polarity(name)
    except UsageError:
        return None
