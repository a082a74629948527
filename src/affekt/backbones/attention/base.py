"""What every attention block is: a map in, a map of the same shape out, its weights to look at."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from affekt.errors import UsageError


class Attention(nn.Module, ABC):
    """``(B, C, H, W)`` -> ``(B, C, H, W)``: ``Y = X + gamma (what it makes of X)``, with gamma = 0 at the start.

    A network in which it is put gives what it gave before, bit for bit.

    Args:
        channels: C.
        reduction: the inner part has C / reduction channels.
        heads: of those variants that have heads.

    Attributes:
        gamma: learned, one number.

    Raises:
        UsageError: numbers that do not fit the channels.
    """

    default_reduction = 8

    def __init__(self, channels: int, *, reduction: int | None = None, heads: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.reduction = self.default_reduction if reduction is None else reduction
        self.heads = heads
        for name, value in (("reduction", self.reduction), ("heads", heads)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UsageError(f"attention: {name} = {value!r}: a whole number of at least 1 is wanted")
        self.inner = channels // self.reduction
        if self.inner < 1:
            raise UsageError(f"attention: reduction = {self.reduction} leaves nothing of {channels} channels")
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` of a map of that shape."""
        return x + self.gamma * self.change(x)

    @abstractmethod
    def change(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``: what is added, before gamma."""

    @abstractmethod
    def weights(self, x: Tensor) -> Tensor:
        """The attention map of ``(B, C, H, W)``, as each variant says."""

    def extra_repr(self) -> str:
        return f"channels={self.channels}, reduction={self.reduction}, heads={self.heads}"


def per_head(name: str, channels: int, heads: int) -> int:
    """Channels of one head.

    Raises:
        UsageError: the heads do not share them evenly.
    """
    if channels % heads:
        raise UsageError(f"attention: {name} of {channels} channels cannot be shared by {heads} heads")
    return channels // heads


def without_heads(kind: str, heads: int) -> None:
    """Raises:
    UsageError: heads asked of a variant that has none.
    """
    if heads != 1:
        raise UsageError(f'attention = "{kind}": has no heads; leave heads = 1')
