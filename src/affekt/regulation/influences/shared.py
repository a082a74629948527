"""Shared: the second encoder *is* the emotional one, with a task head of its own."""

from __future__ import annotations

from torch import Tensor

from affekt.regulation.influences.base import Influence, InfluenceSetup


class Shared(Influence):
    """``f_E(x)``; with a frozen emotional encoder, only the head of this branch learns."""

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.num_features = setup.emotional.num_features

    def forward(self, _images: Tensor, features: Tensor | None) -> Tensor:
        assert features is not None
        return features
