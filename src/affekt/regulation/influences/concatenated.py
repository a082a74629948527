"""Concatenated: the second encoder's features and the emotional encoder's, side by side."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.regulation.influences.base import FeatureNorm, Influence, InfluenceSetup


class Concatenated(Influence):
    """``[f_I(x), norm(f_E(x))]``; the norm brings features of any network to one scale."""

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.encoder = setup.own_encoder()
        self.norm = FeatureNorm(setup.emotional.num_features)
        self.num_features = self.encoder.num_features + setup.emotional.num_features

    def forward(self, images: Tensor, features: Tensor | None) -> Tensor:
        own = self.encoder(images)
        return torch.cat([own, self.norm(features).to(own.dtype)], dim=1)
