"""Streams: features of each step of the clips that have sound, or pictures; zero where there are none."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from affekt.multimodal.front_ends import AudioFrontEnd, VideoFrontEnd


def hear(part: AudioFrontEnd, sound: Tensor | None, lengths: Tensor, steps: Tensor) -> Tensor:
    """``(B, T, D)``; ``steps``: ``(B, T)`` bool, where there is sound. Clips without any are not computed."""
    shape = (*steps.shape, part.num_features)
    rows = torch.nonzero(steps[:, 0])[:, 0]
    if sound is None or not len(rows):
        return _nothing(part, shape)
    if len(rows) < len(steps):
        heard = part(sound[rows], lengths[rows])
        found = heard.new_zeros(shape).index_copy(0, rows, heard)
    else:
        found = part(sound, lengths)
    return torch.where(steps[:, :, None], found, found.new_zeros(()))


def see(part: VideoFrontEnd, pictures: Tensor | None, steps: Tensor) -> Tensor:
    """``(B, T, D)``; ``steps``: ``(B, T)`` bool, where there are pictures.

    The pictures that are there go through the backbone one after the other, so that its batch norm sees no padding.
    """
    shape = (*steps.shape, part.num_features)
    rows = torch.nonzero(steps.flatten())[:, 0]
    if pictures is None or not len(rows):
        return _nothing(part, shape)
    one_after_the_other = pictures.flatten(0, 1)
    seen = part(one_after_the_other if len(rows) == len(one_after_the_other) else one_after_the_other[rows])
    found: Tensor = seen.new_zeros(shape).flatten(0, 1).index_copy(0, rows, seen)
    return found.reshape(shape)


def _nothing(part: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """Zeros that still hang on every parameter of the part: its gradients are zero and not absent, which several
    processes that average them count on."""
    learned = [parameter for parameter in part.parameters() if parameter.requires_grad]
    zero = next(chain(part.parameters(), part.buffers())).new_zeros(())
    for parameter in learned:
        zero = zero + 0 * parameter.reshape(-1)[0]
    return zero.expand(shape)
