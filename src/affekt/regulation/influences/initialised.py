"""Initialised: the second encoder starts as a copy of the emotional one and learns the task from there."""

from __future__ import annotations

import copy
from typing import ClassVar

from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.regulation.encoder import PictureEncoder
from affekt.regulation.influences.base import Influence, InfluenceSetup

OTHERS = ("concatenated", "added", "modulated", "shared")
"""What works with an emotional encoder of another architecture or size."""


class Initialised(Influence):
    """f_I has the weights and the normalisation of f_E at the start; all of it learns.

    Raises:
        UsageError: the emotional encoder is of another backbone or size than the classifier.
    """

    needs_features: ClassVar[bool] = False

    def __init__(self, setup: InfluenceSetup) -> None:
        super().__init__(setup)
        check_same(setup)
        copied = copy.deepcopy(setup.emotional.backbone).requires_grad_(True)
        self.encoder = PictureEncoder(copied, setup.image_size, like=setup.emotional)
        self.num_features = self.encoder.num_features

    def forward(self, images: Tensor, _features: Tensor | None) -> Tensor:
        encoded: Tensor = self.encoder(images)
        return encoded


def check_same(setup: InfluenceSetup) -> None:
    """Compare the shapes of all weights, whatever the names of the two networks, and the sizes."""
    emotional, like = setup.emotional, setup.classifier
    if _shapes(like) == _shapes(emotional.backbone) and emotional.image_size == setup.image_size:
        return
    raise UsageError(
        f'influence = "initialised": the emotional encoder is {_called(emotional.backbone)} at {emotional.image_size} '
        f"px, the classifier {_called(like)} at {setup.image_size} px; it needs the same backbone, width and size. "
        f"Influences that work: {', '.join(OTHERS)}"
    )


def _shapes(backbone: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in backbone.state_dict().items()}


def _called(backbone: nn.Module) -> str:
    name = getattr(backbone, "name", type(backbone).__name__)
    return f"{name} ({sum(p.numel() for p in backbone.parameters()):,} parameters)"
