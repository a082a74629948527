"""Transformer: self-attention over the clip's steps, then their mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.multimodal.attending import AttentionBlock, check_size, positions
from affekt.multimodal.recurrent.base import Recurrent
from affekt.multimodal.recurrent.mean import mean_over
from affekt.multimodal.timeline import within


class Transformer(Recurrent):
    """``layers`` blocks of width ``hidden`` with positions in time (Vaswani et al. 2017), a norm, the mean over the
    steps."""

    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__(size, hidden, layers)
        check_size('recurrent = "transformer"', hidden)
        self.num_features = hidden
        self.project = nn.Linear(size, hidden)
        self.blocks = nn.ModuleList(AttentionBlock(hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        seen = within(lengths, steps.shape[1])
        # A weight of 0 does not silence what is infinite once it is squared.
        x = self.project(torch.where(seen[:, :, None], steps, steps.new_zeros(())))
        x = x + positions(x.shape[1], x.shape[2], x)
        for block in self.blocks:
            x = block(x, seen)
        return mean_over(self.norm(x), lengths)
