"""Self-attention over the points of a map, as in SAGAN; on AlexNet's conv5 it makes FE-AlexNet.

H. Zhang, I. Goodfellow, D. Metaxas, A. Odena: Self-Attention Generative Adversarial Networks, ICML 2019, section 3.
P. Ying, Y. Li, H. Chen: arXiv:2310.13674 (2023) put it into AlexNet; that it stands behind conv5 is our reading.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.attention.base import Attention, per_head


class SaganAttention(Attention):
    """``Y = X + gamma V A'`` with ``A = softmax(Q'K)``, not scaled; Q, K: 1 x 1 to C / reduction, V: 1 x 1 to C.

    On 256 channels with reduction 8: 82,241 parameters.
    """

    def __init__(self, channels: int, *, reduction: int | None = None, heads: int = 1) -> None:
        super().__init__(channels, reduction=reduction, heads=heads)
        per_head("queries", self.inner, heads)
        per_head("values", channels, heads)
        self.query = nn.Conv2d(channels, self.inner, 1)
        self.key = nn.Conv2d(channels, self.inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)

    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        q, k, v = (self._points(part(x)) for part in (self.query, self.key, self.value))
        found = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        return found.transpose(-1, -2).reshape(x.shape)

    def weights(self, x: Tensor) -> Tensor:
        """``(B, heads, H W, H W)``: how much each point (row) takes from every other; rows sum to 1."""
        q, k = self._points(self.query(x)), self._points(self.key(x))
        return (q @ k.transpose(-1, -2)).softmax(dim=-1)

    def _points(self, x: Tensor) -> Tensor:
        """``(B, heads, H W, channels of a head)``."""
        return x.reshape(len(x), self.heads, -1, x.shape[2] * x.shape[3]).transpose(-1, -2)
