"""Encoders: what a regulated model asks of its emotional encoder, and the picture encoder of its own branches."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, nn

from affekt.backbones.inputs import add_normalisation, features_of
from affekt.errors import UsageError


class EmotionalOutput(Protocol):
    """What an emotional encoder says of B pictures."""

    @property
    def features(self) -> Tensor:
        """``(B, D)``."""

    @property
    def state(self) -> Tensor:
        """``(B, A)``, the affect state e, standardised with the statistics of the encoder's own training pictures."""


class EmotionalEncoder(Protocol):
    """An ``nn.Module`` that looks at pictures in [0, 1] of any size and says what they make one feel.

    ``affekt.AffectNetwork`` is one. It owns its input size and normalisation.
    """

    backbone: Any
    """Images -> features; what ``influence = "initialised"`` copies."""

    image_size: int
    mean: Tensor
    std: Tensor

    @property
    def num_features(self) -> int:
        """D."""

    @property
    def state_names(self) -> tuple[str, ...]:
        """What each of the A numbers of the state is about."""

    def __call__(self, images: Tensor) -> EmotionalOutput: ...


def check_emotional(emotional: object) -> None:
    """Refuse what is no emotional encoder.

    Raises:
        UsageError: it lacks what is needed; what that is.
    """
    needed = ("backbone", "image_size", "mean", "std", "num_features", "state_names")
    absent = [name for name in needed if not hasattr(emotional, name)]
    if absent or not isinstance(emotional, nn.Module):
        lacks = f"has no {', '.join(absent)}" if absent else "is no nn.Module"
        raise UsageError(f"emotional = {type(emotional).__name__}: {lacks}; give an affekt.AffectNetwork")


class PictureEncoder(nn.Module):
    """A backbone with its own input size and normalisation: ``(B, 3, H, W)`` in [0, 1] -> ``(B, D)`` features.

    Args:
        backbone: normalised images of side ``image_size`` -> features.
        like: a module whose buffers ``mean`` and ``std`` are taken over; None: what the backbone states.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, image_size: int, like: EmotionalEncoder | None = None) -> None:
        super().__init__()
        self.backbone: Any = backbone
        self.image_size = image_size
        add_normalisation(self, backbone)
        if like is not None:
            self.mean.copy_(like.mean)
            self.std.copy_(like.std)

    @property
    def num_features(self) -> int:
        return int(self.backbone.num_features)

    def forward(self, images: Tensor) -> Tensor:
        return features_of(self, images)
