"""Attending: a block of a transformer and positions in time, for the parts that attend."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.errors import UsageError

HEAD = 64
"""Features of one head, as in Vaswani et al. (2017)."""

DROPOUT = 0.1
"""Of what a block adds to its input, in training."""


class AttentionBlock(nn.Module):
    """``(B, N, D)`` -> ``(B, N, D)``: self-attention, then a two-layer network, both behind a norm and added.

    Args:
        size: D; it has D / 64 heads, or the next fewer that divide it.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.heads = max(n for n in range(1, max(1, size // HEAD) + 1) if size % n == 0)
        self.norm = nn.LayerNorm(size)
        self.project = nn.Linear(size, 3 * size)
        self.join = nn.Linear(size, size)
        self.network = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size)
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """``seen``: ``(B, N)`` bool, what may be looked at; what a row says that may see nothing has no meaning."""
        # Softmax over nothing is NaN, which would spread from a row that nobody reads into every gradient.
        seen = seen | ~seen.any(dim=1, keepdim=True)
        q, k, v = self.project(self.norm(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        looked = F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None])
        x = x + self.dropout(self.join(looked.transpose(1, 2).flatten(2)))
        added: Tensor = x + self.dropout(self.network(x))
        return added


def positions(length: int, size: int, like: Tensor) -> Tensor:
    """``(length, size)``: sines and cosines of wavelengths from 2 pi to 10,000 * 2 pi frames (Vaswani et al. 2017)."""
    rates = torch.exp(torch.arange(0, size, 2, device=like.device) * (-math.log(10_000.0) / size))
    angles = torch.arange(length, device=like.device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).to(like.dtype)


def check_size(what: str, size: int) -> None:
    """
    Raises:
        UsageError: an odd size, for which there are no pairs of sine and cosine.
    """
    if size % 2:
        raise UsageError(f"{what}: hidden = {size}; an even number is asked")
