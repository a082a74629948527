"""CBAM: a weight for each channel, then one for each point.

S. Woo, J. Park, J.-Y. Lee, I. S. Kweon: CBAM: Convolutional Block Attention Module, ECCV 2018, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.attention.base import Attention, without_heads

KERNEL = 7


class CbamAttention(Attention):
    """``Y = X + gamma (Ms (Mc X) - X)``: the published block at gamma = 1.

    ``Mc = sigmoid(MLP(mean(X)) + MLP(max(X)))`` over channels; ``Ms = sigmoid(conv7([mean, max] over channels))``.
    """

    default_reduction = 16

    def __init__(self, channels: int, *, reduction: int | None = None, heads: int = 1) -> None:
        super().__init__(channels, reduction=reduction, heads=heads)
        without_heads("cbam", heads)
        self.reduce = nn.Linear(channels, self.inner)
        self.expand = nn.Linear(self.inner, channels)
        self.spatial = nn.Conv2d(2, 1, KERNEL, padding=KERNEL // 2)

    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        weighted = self.channel_weights(x)[:, :, None, None] * x
        return self._points(weighted) * weighted - x

    def weights(self, x: Tensor) -> Tensor:
        """``(B, 1, H, W)``: the weight of each point, 0 to 1; those of channels are :meth:`channel_weights`."""
        return self._points(self.channel_weights(x)[:, :, None, None] * x)

    def channel_weights(self, x: Tensor) -> Tensor:
        """``(B, C)``: the weight of each channel, 0 to 1."""
        mean, most = x.mean((2, 3)), x.amax((2, 3))
        found: Tensor = (self._mlp(mean) + self._mlp(most)).sigmoid()
        return found

    def _mlp(self, x: Tensor) -> Tensor:
        found: Tensor = self.expand(F.relu(self.reduce(x)))
        return found

    def _points(self, x: Tensor) -> Tensor:
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        found: Tensor = self.spatial(both).sigmoid()
        return found
