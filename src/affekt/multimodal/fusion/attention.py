"""Attention: every moment of each stream looks at every moment of all, and the streams are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from affekt.multimodal.attending import AttentionBlock, check_size, positions
from affekt.multimodal.fusion.base import Fusion


class Attention(Fusion):
    """``W_i x_i`` + a vector for the stream + the position in time are tokens of one transformer block over all streams
    and moments (Vaswani et al. 2017); then the mean over the streams that are there. What is absent is not looked at.
    """

    def __init__(self, sizes: Sequence[int], hidden: int) -> None:
        super().__init__(sizes, hidden)
        check_size('fusion = "attention"', hidden)
        self.num_features = hidden
        self.values = nn.ModuleList(nn.Linear(size, hidden) for size in sizes)
        self.kinds = nn.Parameter(torch.empty(len(sizes), hidden).normal_(std=0.02))
        self.block = AttentionBlock(hidden)

    def forward(self, streams: Sequence[Tensor], present: Tensor) -> Tensor:
        tokens = torch.stack([f(x) for f, x in zip(self.values, streams, strict=True)], dim=2)
        length, count, size = tokens.shape[1:]
        tokens = tokens + self.kinds + positions(length, size, tokens)[:, None]
        looked = self.block(tokens.flatten(1, 2), present.flatten(1)).unflatten(1, (length, count))
        there = present[..., None]
        total: Tensor = torch.where(there, looked, looked.new_zeros(())).sum(2)
        return total / there.sum(2).clamp(min=1)
