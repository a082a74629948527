"""Attention: how much each point is looked at by the attention blocks of a backbone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.humans.looking.asking import still
from affekt.humans.looking.library import at_picture_size
from affekt.humans.looking.parts import backbone_name, inputs, part_of


def attention(model: nn.Module, images: Tensor, *, part: str | None = None, block: int = -1) -> Tensor:
    """``(B, H, W)`` maps, 0 or more: the attention that each point of the map receives, upsampled.

    Of self-attention (``sagan``, ``non-local``), the mean over heads and over the points that look; it sums to 1 over
    the points of the small map. Of ``pointwise`` and ``cbam``, the weight of the point. What the network then makes of
    it is not in it: with gamma = 0 it is nothing at all.

    Args:
        model: with attention in its backbone.
        images: ``(B, 3, H, W)`` RGB, uint8 or float in [0, 1].
        part: as of :func:`grad_cam`.
        block: which of several blocks in a row; -1: the last.

    Raises:
        UsageError: a backbone without attention, without such a block, or whose attention is for channels.
    """
    looked_into = part_of(model, part)
    backbone = looked_into.backbone
    with still(model), torch.no_grad():
        maps = _attended(backbone, inputs(looked_into, images.to(looked_into.mean.device)))
    if not -len(maps) <= block < len(maps):
        raise UsageError(f"block = {block}: {backbone_name(backbone)} has {len(maps)} blocks of attention")
    found = maps[block]
    if found is None:
        raise UsageError(
            f"{backbone_name(backbone)}: its attention weighs channels and no places, so there is no map of it; "
            "sagan, non-local, pointwise and cbam have one"
        )
    return at_picture_size(found, (images.shape[2], images.shape[3])).to(images.device)


def _attended(backbone: Any, images: Tensor) -> list[Tensor | None]:
    maps: list[Tensor | None] = backbone.attended(images) if hasattr(backbone, "attended") else []
    if not maps:
        name = backbone_name(backbone)
        raise UsageError(
            f'{name}: has no attention to look at; a backbone with a map can have it, as in "alexnet+sagan". '
            "grad-cam, integrated gradients and occlusion need none"
        )
    return maps
