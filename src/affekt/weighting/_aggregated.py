"""Aggregated: torchjd's aggregators - one direction from the gradients of all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from affekt.weighting._foreign import Foreign
from affekt.weighting._gradient_weighting import GradientWeighting
from affekt.weighting._torchjd_rules import Rule


class Aggregated(Foreign, GradientWeighting):
    """An aggregator of torchjd as a weighting."""

    def __init__(
        self, tasks: tuple[str, ...], *, name: str, rule: Rule, made: nn.Module, settings: Mapping[str, Any]
    ) -> None:
        from torchjd.aggregation import WeightedAggregator

        super().__init__(tasks, name=name, rule=rule, made=made, settings=settings)
        self.has_weights = isinstance(made, WeightedAggregator)
        self._like: Tensor | None = None

    def memory(self) -> dict[str, Tensor]:
        if self._like is None or not hasattr(self.made, "reset"):
            return {}
        return {"like": self._like, **self._remembered()}

    def load_memory(self, memory: Mapping[str, Tensor], device: torch.device) -> None:
        if not memory:
            return
        held = dict(memory)
        like = held.pop("like").to(device)
        drawn = torch.rand(len(self.tasks), like.shape[1], generator=torch.Generator().manual_seed(0))
        self._aggregate(drawn.to(like))
        self._remember(held, device)

    @torch.no_grad()
    def _aggregate(self, matrix: Tensor) -> tuple[Tensor, Tensor | None]:
        self._like = matrix.new_zeros(0, matrix.shape[1])
        with self._working(matrix) as made:
            if not self.has_weights:
                direction: Tensor = made(matrix)
                return direction, None
            weights: Tensor = made.weighting(matrix)  # type: ignore[operator]
            return weights @ matrix, weights
