"""A control for self-attention: the same three 1 x 1 convolutions, but every point has itself alone to look at."""

from __future__ import annotations

from torch import Tensor

from affekt.backbones.attention.sagan import SaganAttention


class PointwiseAttention(SaganAttention):
    """``Y = X + gamma sigmoid(q'k) V(X)``, all at one point: parameters and depth of self-attention, no other place.

    Ours. Whatever self-attention gains over it comes from looking elsewhere.
    """

    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        value = self._shared_out(self.value(x))
        return (self.weights(x)[:, :, None] * value).reshape(x.shape)

    def weights(self, x: Tensor) -> Tensor:
        """``(B, heads, H, W)``: the gate of each point, 0 to 1."""
        q, k = self._shared_out(self.query(x)), self._shared_out(self.key(x))
        return (q * k).sum(2).sigmoid()

    def _shared_out(self, x: Tensor) -> Tensor:
        """``(B, heads, channels of a head, H, W)``."""
        return x.reshape(len(x), self.heads, -1, *x.shape[2:])
