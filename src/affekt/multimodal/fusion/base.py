"""Fusion: the features of sound and pictures of each step -> one vector a step; what every way has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Fusion(nn.Module, ABC):
    """n streams, ``(B, T, D_i)`` each -> ``(B, T, num_features)``.

    A stream is zero where it is absent; what is absent says nothing. A clip's answer does not depend on what stands
    behind its end.

    Args:
        sizes: D_i of each stream.
        hidden: width of what fusions with a width of their own make.
    """

    num_features: int

    @abstractmethod
    def __init__(self, sizes: Sequence[int], hidden: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, streams: Sequence[Tensor], present: Tensor) -> Tensor:
        """``present``: ``(B, T, n)`` bool, where each stream is there."""
