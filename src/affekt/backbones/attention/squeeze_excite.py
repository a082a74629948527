"""Squeeze-and-excitation: a weight for each channel, from the mean of every channel.

J. Hu, L. Shen, G. Sun: Squeeze-and-Excitation Networks, CVPR 2018, section 3.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.attention.base import Attention, without_heads


class SqueezeExciteAttention(Attention):
    """``Y = X + gamma (s X - X)``, ``s = sigmoid(W2 relu(W1 mean(X)))``: the published block at gamma = 1."""

    default_reduction = 16

    def __init__(self, channels: int, *, reduction: int | None = None, heads: int = 1) -> None:
        super().__init__(channels, reduction=reduction, heads=heads)
        without_heads("se", heads)
        self.reduce = nn.Linear(channels, self.inner)
        self.expand = nn.Linear(self.inner, channels)

    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        return self.weights(x)[:, :, None, None] * x - x

    def weights(self, x: Tensor) -> Tensor:
        """``(B, C)``: the weight of each channel, 0 to 1."""
        found: Tensor = self.expand(F.relu(self.reduce(x.mean((2, 3))))).sigmoid()
        return found
