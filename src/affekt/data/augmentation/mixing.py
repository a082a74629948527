"""Mixing: mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019) within a batch, labels with the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from affekt.data.augmentation.cutout import box_mask, centres
from affekt.randomness import uniforms


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A batch after mixing.

    Attributes:
        images: ``(B, 3, S, S)`` float in [0, 1].
        labels: ``"category"`` and ``"votes"`` as ``(B, K)`` shares, ratings ``(B,)``; see :func:`mix_labels`.
        partner: ``(B,)`` int64 index within the batch of the picture mixed in; None: nothing was mixed.
        share: ``(B,)`` float32 share of the picture itself; None: nothing was mixed.
    """

    images: Tensor
    labels: dict[str, Tensor]
    partner: Tensor | None = None
    share: Tensor | None = None


def partners(items: Tensor, *, seed: int, epoch: int) -> Tensor:
    """``(B,)`` int64: whom each item is mixed with, never itself where there are two.

    Items stand in a circle in the order of a number drawn for each, and take the next one: a function of the *set* of
    items in the batch. A batch that is split over processes is mixed within each part.
    """
    drawn = uniforms(items, seed=seed, epoch=epoch, name="partner")[:, 0]
    by_item = torch.argsort(items)
    order = by_item[torch.argsort(drawn[by_item], stable=True)]
    partner = torch.empty_like(order)
    partner[order] = order.roll(-1)
    return partner


def beta_shares(items: Tensor, alpha: float, *, seed: int, epoch: int) -> Tensor:
    """``(B,)`` float32 of Beta(alpha, alpha), a function of each item alone (by the inverse distribution function)."""
    from scipy.special import betaincinv

    drawn = uniforms(items, seed=seed, epoch=epoch, name="share")[:, 0].double().cpu().numpy()
    return torch.from_numpy(betaincinv(alpha, alpha, drawn)).to(items.device, torch.float32)


def use_cutmix(items: Tensor, mixup: float, cutmix: float, *, seed: int, epoch: int) -> bool:
    """Which of the two a batch gets; with both asked for, a coin thrown for its smallest item."""
    if not (mixup and cutmix):
        return cutmix > 0
    return bool(uniforms(items.min()[None], seed=seed, epoch=epoch, name="mixing")[0, 0] < 0.5)


def mixup_images(images: Tensor, partner: Tensor, share: Tensor) -> Tensor:
    """``share`` of each picture and the rest of its partner."""
    weight = share[:, None, None, None]
    return weight * images + (1 - weight) * images[partner]


def cutmix_images(
    images: Tensor, items: Tensor, partner: Tensor, share: Tensor, *, seed: int, epoch: int
) -> tuple[Tensor, Tensor]:
    """A box of about ``1 - share`` of the area taken from the partner, and the shares after the border cut it."""
    shape = (images.shape[2], images.shape[3])
    size = torch.tensor(shape, device=images.device)
    sides = ((1 - share).sqrt()[:, None] * size).long()
    mask = box_mask(centres(items, shape, seed=seed, epoch=epoch, name="cutmix"), sides, shape)
    covered = mask.sum(dim=(1, 2, 3)).to(torch.float32) / (shape[0] * shape[1])
    return torch.where(mask, images[partner], images), 1 - covered


def mix_labels(labels: Mapping[str, Tensor], partner: Tensor, share: Tensor, categories: int) -> dict[str, Tensor]:
    """Labels mixed as the pictures are.

    ``category`` ``(B,)`` becomes ``(B, K)`` shares; an unknown one (-1) adds nothing, so that a row sums to the share
    that is known, 0 where both are unknown. ``votes`` become shares of people first, so that a picture with many votes
    does not outweigh its partner. A rating is NaN where either of the two is.
    """
    mixed: dict[str, Tensor] = {}
    for name, values in labels.items():
        if name == "category" and values.ndim == 1:
            own = one_hot(values.clamp(min=0), categories).to(torch.float32) * (values >= 0)[:, None]
        elif name == "votes":
            own = values / values.sum(dim=1, keepdim=True).clamp(min=1e-12)
        else:
            own = values
        weight = share if own.ndim == 1 else share[:, None]
        mixed[name] = weight * own + (1 - weight) * own[partner]
    return mixed
