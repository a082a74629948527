"""Recurrent: the fused features of each step -> one vector a clip; what every way has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Recurrent(nn.Module, ABC):
    """``(B, T, D)`` -> ``(B, num_features)``, from each clip's own steps: what stands behind them changes nothing.

    Args:
        size: D.
        hidden: width of its layers.
        layers: how many.
    """

    num_features: int

    @abstractmethod
    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """``lengths``: ``(B,)`` int64, steps of each clip, one or more."""
