"""Independent: the second encoder is not influenced at all; a control, in which two branches are left of the method."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from affekt.regulation.influences.base import Influence, InfluenceSetup


class Independent(Influence):
    """``f_I(x)``, an encoder like that of the non-emotional branch with initial weights of its own."""

    needs_features: ClassVar[bool] = False

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        self.encoder = setup.own_encoder()
        self.num_features = self.encoder.num_features

    def forward(self, images: Tensor, _features: Tensor | None) -> Tensor:
        encoded: Tensor = self.encoder(images)
        return encoded
