"""Modulated: the emotional features scale and shift the second encoder's (FiLM)."""

from __future__ import annotations

from torch import Tensor, nn

from affekt.regulation.influences.base import FeatureNorm, Influence, InfluenceSetup


class Modulated(Influence):
    """``(1 + gamma) * f_I(x) + beta``, ``[gamma, beta] = W norm(f_E(x)) + b`` (Perez et al. 2018, AAAI, eq. 2).

    W and b are zero at the start, which leaves f_I's features as they are; the scale and shift are of the feature
    vector, not of maps inside the backbone, so that any backbone will do.
    """

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.encoder = setup.own_encoder()
        self.num_features = self.encoder.num_features
        self.norm = FeatureNorm(setup.emotional.num_features)
        self.modulation = nn.Linear(setup.emotional.num_features, 2 * self.num_features)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, images: Tensor, features: Tensor | None) -> Tensor:
        gamma, beta = self.modulation(self.norm(features)).chunk(2, dim=1)
        modulated: Tensor = (1 + gamma) * self.encoder(images) + beta
        return modulated
