"""Looking: what the attention of a network says of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from affekt.backbones.attention.base import Attention
from affekt.backbones.stages import run_watched

MEMBER = "affekt_attention"
"""Of a network: its blocks of attention, so that they are saved, moved and trained with it."""


def attention_maps(trunk: nn.Module, run: Callable[[], object]) -> list[Tensor]:
    """What each block says where it looks, in order; ``run`` sends pictures through. Empty without attention."""
    found: list[Tensor] = []

    def note(module: nn.Module, inputs: Any, _output: Any) -> None:
        assert isinstance(module, Attention)
        found.append(module.weights(inputs[0]))

    blocks = getattr(trunk, MEMBER, nn.ModuleList())
    if len(blocks):
        run_watched(run, [(block, note) for block in blocks])
    return found
