"""Frame drop: pictures that are lost; the one before stays in view, as where a transmission stutters."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.randomness import uniforms


def drop_frames(faces: Tensor, lengths: Tensor, items: Tensor, probability: float, *, seed: int, epoch: int) -> Tensor:
    """``(B, T, 3, S, S)``: each picture but the first is lost with a probability, on its own.

    Args:
        lengths: ``(B,)`` pictures of each clip that are no padding.
    """
    b, t = faces.shape[:2]
    lost = uniforms(items, seed=seed, epoch=epoch, name="frame-drop", n=t) < probability
    number = torch.arange(t, device=faces.device).expand(b, t)
    lost &= (number > 0) & (number < lengths[:, None])
    last = torch.where(lost, 0, number).cummax(dim=1).values
    return faces[torch.arange(b, device=faces.device)[:, None], last]
