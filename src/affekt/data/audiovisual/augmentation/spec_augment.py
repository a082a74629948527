"""SpecAugment (Park et al. 2019): stretches of time and bands of frequency masked in the log-mel; no time warp."""

from __future__ import annotations

import torch
from torch import Tensor

from affekt.randomness import uniforms


def spec_augment(
    log_mel: Tensor,
    columns: Tensor,
    items: Tensor,
    *,
    time_masks: int,
    time_mask: float,
    frequency_masks: int,
    frequency_mask: int,
    seed: int,
    epoch: int,
) -> Tensor:
    """``(B, M, n)`` with masks at the clip's mean, so that a mask says nothing; padding is left as it is.

    Args:
        columns: ``(B,)`` columns of each clip that are no padding.
        time_masks, time_mask: their number, and the longest as a share of the clip.
        frequency_masks, frequency_mask: their number, and the widest in bands.
    """
    b, m, n = log_mel.shape
    place = torch.arange(m, device=log_mel.device)
    inside = place < columns[:, None]
    longest = (columns * time_mask).long()
    in_time = _masked(items, place, longest, columns, time_masks, seed=seed, epoch=epoch, name="time-mask")
    bands = torch.full_like(columns, n)
    widest = torch.full_like(columns, min(frequency_mask, n))
    band = torch.arange(n, device=log_mel.device)
    in_bands = _masked(items, band, widest, bands, frequency_masks, seed=seed, epoch=epoch, name="frequency-mask")
    mean = (log_mel * inside[:, :, None]).sum(dim=(1, 2)) / (columns.clamp(min=1) * n)
    masked = (in_time[:, :, None] | in_bands[:, None, :]) & inside[:, :, None]
    return torch.where(masked, mean.view(b, 1, 1), log_mel)


def _masked(
    items: Tensor, place: Tensor, longest: Tensor, whole: Tensor, masks: int, *, seed: int, epoch: int, name: str
) -> Tensor:
    """``(B, len(place))`` bool: within one of the masks, each 0 to ``longest`` long, anywhere in ``whole``."""
    found = torch.zeros((len(items), len(place)), dtype=torch.bool, device=items.device)
    if not masks:
        return found
    drawn = uniforms(items, seed=seed, epoch=epoch, name=name, n=2 * masks)
    for mask in range(masks):
        length = (drawn[:, 2 * mask] * (longest + 1)).long()
        start = (drawn[:, 2 * mask + 1] * (whole - length + 1)).long()
        found |= (place >= start[:, None]) & (place < (start + length)[:, None])
    return found
