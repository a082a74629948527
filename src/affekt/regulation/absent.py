"""Absent: stands where an emotional encoder would, for controls in which no third network looks on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from affekt.saving import PretrainedModel


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """What :class:`NoEmotion` says of B pictures: ``(B, 0)`` features and ``(B, 0)`` state."""

    features: Tensor
    state: Tensor


class NoEmotion(PretrainedModel):
    """An emotional encoder without weights, features or state.

    ``EmotionalRegulation(..., emotional=NoEmotion(), influence="independent", regulator="constant")`` is a mixture of
    two branches of the task alone.
    """

    mean: Tensor
    std: Tensor
    image_size = 1
    num_features = 0
    state_names: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.backbone: Any = nn.Identity()
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("std", torch.ones(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Nothing:
        empty = self.mean.new_zeros(len(images), 0)
        return Nothing(features=empty, state=empty)

    def config(self) -> dict[str, Any]:
        return {}
