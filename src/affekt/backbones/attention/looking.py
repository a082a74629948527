"""Looking: what the attention of a network says of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from affekt.backbones.attention.base import Attention
from affekt.backbones.stages import run_watched

MEMBER = "affekt_attention"
"""Of a network: its blocks of attention, so that they are saved, moved and trained with it."""


def attended(trunk: nn.Module, run: Callable[[], object]) -> list[Tensor | None]:
    """How much each point is looked at, block by block, as ``run`` sends pictures through: ``(B, H, W)``.

    Of self-attention the mean over heads and over the points that look, which sums to 1; of weights for points those;
    None of a block whose weights are for channels.
    """
    found: list[Tensor | None] = []

    def note(module: nn.Module, inputs: Any, _output: Any) -> None:
        assert isinstance(module, Attention)
        height, width = inputs[0].shape[2:]
        weights = module.weights(inputs[0])
        if weights.shape[2:] == (height * width, height * width):
            found.append(weights.mean((1, 2)).reshape(-1, height, width))
        else:
            found.append(weights.mean(1) if weights.shape[2:] == (height, width) else None)

    _watch(trunk, run, note)
    return found


def attention_maps(trunk: nn.Module, run: Callable[[], object]) -> list[Tensor]:
    """What each block says where it looks, in order; ``run`` sends pictures through. Empty without attention."""
    found: list[Tensor] = []

    def note(module: nn.Module, inputs: Any, _output: Any) -> None:
        assert isinstance(module, Attention)
        found.append(module.weights(inputs[0]))

    _watch(trunk, run, note)
    return found


def _watch(trunk: nn.Module, run: Callable[[], object], note: Callable[[nn.Module, Any, Any], None]) -> None:
    blocks = getattr(trunk, MEMBER, nn.ModuleList())
    if len(blocks):
        run_watched(run, [(block, note) for block in blocks])
