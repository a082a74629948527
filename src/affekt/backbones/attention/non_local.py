"""The non-local block: self-attention whose output passes a convolution of its own.

X. Wang, R. Girshick, A. Gupta, K. He: Non-local Neural Networks, CVPR 2018, section 3.2 and figure 2 (embedded
Gaussian). There the last convolution starts at zero; here gamma does, as in the other variants.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.attention.base import Attention, per_head


class NonLocalAttention(Attention):
    """``Y = X + gamma W(softmax(theta' phi) g)``; theta, phi, g: 1 x 1 to C / reduction, W: 1 x 1 back to C."""

    default_reduction = 2

    def __init__(self, channels: int, *, reduction: int | None = None, heads: int = 1) -> None:
        super().__init__(channels, reduction=reduction, heads=heads)
        per_head("theta", self.inner, heads)
        self.theta = nn.Conv2d(channels, self.inner, 1)
        self.phi = nn.Conv2d(channels, self.inner, 1)
        self.g = nn.Conv2d(channels, self.inner, 1)
        self.out = nn.Conv2d(self.inner, channels, 1)

    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        q, k, v = (self._points(part(x)) for part in (self.theta, self.phi, self.g))
        found = F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(-1, -2)
        changed: Tensor = self.out(found.reshape(len(x), self.inner, *x.shape[2:]))
        return changed

    def weights(self, x: Tensor) -> Tensor:
        """``(B, heads, H W, H W)``: how much each point (row) takes from every other; rows sum to 1."""
        q, k = self._points(self.theta(x)), self._points(self.phi(x))
        return (q @ k.transpose(-1, -2)).softmax(dim=-1)

    def _points(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), self.heads, -1, x.shape[2] * x.shape[3]).transpose(-1, -2)
