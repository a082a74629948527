"""Added: the emotional features, through a linear map, are added to the second encoder's."""

from __future__ import annotations

from torch import Tensor, nn

from affekt.regulation.influences.base import FeatureNorm, Influence, InfluenceSetup


class Added(Influence):
    """``f_I(x) + W norm(f_E(x)) + b``; the layer norm brings features of any network to one scale."""

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.encoder = setup.own_encoder()
        self.num_features = self.encoder.num_features
        self.norm = FeatureNorm(setup.emotional.num_features)
        self.projection = nn.Linear(setup.emotional.num_features, self.num_features)

    def forward(self, images: Tensor, features: Tensor | None) -> Tensor:
        influenced: Tensor = self.encoder(images) + self.projection(self.norm(features))
        return influenced
