"""Pictures: any image backbone on each frame of a face."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from affekt.backbones.adopting import adopt
from affekt.backbones.inputs import features_of


class VideoFrontEnd(nn.Module):
    """``(N, 3, H, W)`` RGB frames in [0, 1] or uint8, of any size -> ``(N, D)``: one after the other, without padding.

    Args:
        backbone: a name for ``affekt.create_backbone``, or a module with ``num_features``.
        image_size: side of what the backbone sees, pixels; other frames are resized.
        initial, width: of a backbone that is made by name.

    Raises:
        UsageError: what ``create_backbone`` raises.
    """

    backbone: Any
    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: str | nn.Module, image_size: int, *, initial: str = "random", width: float | None = None
    ) -> None:
        super().__init__()
        self.image_size = image_size
        adopt(self, backbone, image_size, initial=initial, width=width)

    @property
    def num_features(self) -> int:
        """D, the length of the backbone's features."""
        return int(self.backbone.num_features)

    def forward(self, images: Tensor) -> Tensor:
        # A batch of clips has five dimensions and no such layout; convolutions are faster in it, on a CPU by a quarter.
        return features_of(self, images.contiguous(memory_format=torch.channels_last))
