"""Added: the emotional features, through a linear map, are added to the second encoder's."""

from __future__ import annotations

from torch import Tensor, nn

from affekt.regulation.influences.base import LENGTH, FeatureNorm, Influence, InfluenceSetup


class Added(Influence):
    """``f_I(x) + W norm(f_E(x)) + b``; the norm brings features of any network to one scale."""

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.encoder = setup.own_encoder()
        self.num_features = self.encoder.num_features
        self.norm = FeatureNorm(setup.emotional.num_features)
        self.projection = nn.Linear(setup.emotional.num_features, self.num_features)
        # What a linear map of as many features of unit variance starts with: outputs of variance 1/3.
        nn.init.uniform_(self.projection.weight, -1 / LENGTH, 1 / LENGTH)
        nn.init.zeros_(self.projection.bias)

    def forward(self, images: Tensor, features: Tensor | None) -> Tensor:
        influenced: Tensor = self.encoder(images) + self.projection(self.norm(features))
        return influenced
