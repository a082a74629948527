"""Gated: a weighted mean of the streams, number by number; the weights are learned from all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from affekt.multimodal.fusion.base import Fusion


class Gated(Fusion):
    """``sum z_i tanh(W_i x_i)``, where the z sum to one over the streams that are there: a softmax of ``V [x_1, x_2]``
    for each of ``hidden`` numbers. With two streams, the gated multimodal unit (Arevalo et al. 2017, arXiv:1702.01992).
    """

    def __init__(self, sizes: Sequence[int], hidden: int) -> None:
        super().__init__(sizes, hidden)
        self.num_features = hidden
        self.values = nn.ModuleList(nn.Linear(size, hidden) for size in sizes)
        self.gate = nn.Linear(sum(sizes), len(sizes) * hidden) if len(sizes) > 1 else None

    def forward(self, streams: Sequence[Tensor], present: Tensor) -> Tensor:
        values = torch.stack([torch.tanh(f(x)) for f, x in zip(self.values, streams, strict=True)], dim=2)
        there = present[..., None]
        if self.gate is None:
            return (values * there).sum(2)
        scores: Tensor = self.gate(torch.cat(list(streams), dim=2)).unflatten(2, values.shape[2:])
        # Not minus infinity: where no stream is there, softmax would be NaN.
        weights = scores.masked_fill(~there, torch.finfo(scores.dtype).min).softmax(dim=2)
        return (weights * values * there).sum(2)
