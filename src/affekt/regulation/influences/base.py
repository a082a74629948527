"""Influence: how the second encoder is influenced by the emotional one; what every way has in common."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from affekt.backbones import create_backbone
from affekt.regulation.encoder import EmotionalEncoder, PictureEncoder


@dataclass(frozen=True, kw_only=True)
class InfluenceSetup:
    """What an influence is made from.

    Attributes:
        backbone: of the classifier: a name for ``create_backbone``, or a module, which is copied.
        image_size: side of what the classifier sees, pixels.
        initial, width: of a backbone that is made by name.
        classifier: the backbone of the non-emotional branch, to compare with.
        emotional: the emotional encoder.
    """

    backbone: str | nn.Module
    image_size: int
    initial: str
    width: float | None
    classifier: nn.Module
    emotional: EmotionalEncoder

    def own_encoder(self) -> PictureEncoder:
        """Another encoder like that of the non-emotional branch, with initial weights of its own."""
        made = (
            create_backbone(self.backbone, initial=self.initial, in_size=self.image_size, width=self.width)
            if isinstance(self.backbone, str)
            else copy.deepcopy(self.backbone)
        )
        return PictureEncoder(made, self.image_size)


class Influence(nn.Module, ABC):
    """Pictures and emotional features -> features of the emotionally-influenced branch.

    Attributes:
        needs_features: whether it uses the emotional encoder's features in every step.
        num_features: length of what it returns.
    """

    needs_features: ClassVar[bool] = True
    num_features: int

    @abstractmethod
    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, images: Tensor, features: Tensor | None) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1], ``(B, D)`` emotional features (None if not needed) -> ``(B, num_features)``."""


LENGTH = 4.0
"""Length of the normalised emotional features. How far one step of SGD moves what a linear map makes of them grows with
its square: at the length of a plain layer norm, sqrt(D), learning rates that suit the backbones make it diverge."""


class FeatureNorm(nn.LayerNorm):
    """``norm(f_E(x))``: a layer norm brought to length 4, so that features of any network and number are on one scale.

    Computed outside of autocast.
    """

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            normed: Tensor = super().forward(features.to(self.weight.dtype))
            scale: float = LENGTH / features.shape[1] ** 0.5
            return normed * scale
