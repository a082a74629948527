"""Whitening: a first layer that is computed from training pictures instead of learned, and what fills it.

D. Page, "How to Train Your ResNet" (2019), part 8, and K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
arXiv:2404.00498, section 3.1: the filters are the eigenvectors of the covariance of small patches, each divided by the
standard deviation along it and taken with both signs. What comes out has variance 1 in each channel and no correlation,
so that the layers behind it learn in fewer steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.inputs import as_input

SIDE = 2
"""Of the patches, pixels (arXiv:2404.00498)."""

EPSILON = 5e-4
"""Added to each variance of normalised pictures, so that what is nearly noise is not made as loud as the rest
(arXiv:2404.00498)."""

FLAT = 1e-6
"""Share of the largest variance at or below which pictures do not vary: grey ones have no colour. Such a direction gets
a filter of zeros, else the first coloured picture would be all that the network sees."""


class Whitening(nn.Module):
    """``(B, C, H, W)`` normalised pictures -> ``(B, 8 C, H - 1, W - 1)``: each direction of a 2 x 2 patch, both signs.

    The filters are no parameters: nothing learns them, and they are saved with the network. Until :func:`whiten` was
    called they are random; afterwards they stay as they are. One bias a filter is learned.

    Attributes:
        weight: buffer, ``(8 C, C, 2, 2)``.
        filled: buffer, ``()`` bool: whether the filters were computed.
    """

    weight: Tensor
    filled: Tensor

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.channels = 2 * SIDE * SIDE * in_channels
        self.register_buffer("weight", torch.empty(self.channels, in_channels, SIDE, SIDE))
        self.register_buffer("filled", torch.tensor(False))
        self.bias = nn.Parameter(torch.zeros(self.channels))
        nn.init.kaiming_normal_(self.weight)

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.weight, self.bias)

    @torch.no_grad()
    def fill(self, covariance: Tensor) -> None:
        """Take the filters from ``(4 C, 4 C)`` float64, the covariance of normalised patches (channel, row, column)."""
        filters = directions(covariance).to(self.weight)
        self.weight.copy_(torch.cat([filters, -filters]).view_as(self.weight))
        self.filled.fill_(True)


def directions(covariance: Tensor) -> Tensor:
    """``(n, n)`` float64 covariance -> ``(n, n)``: a filter a row, from the direction of the largest variance on.

    The sign of an eigenvector is anybody's choice: its entry of largest size is made positive.
    """
    variances, vectors = torch.linalg.eigh(covariance.cpu())
    variances, vectors = variances.flip(0), vectors.T.flip(0)
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    scale = torch.where(variances > FLAT * variances[0], (variances.clamp(min=0) + EPSILON).rsqrt(), 0)
    filters: Tensor = vectors * largest.sign() * scale[:, None]
    return filters


@torch.no_grad()
def whiten(model: nn.Module, batches: Iterable[Tensor]) -> int:
    """Fill every :class:`Whitening` in ``model`` that is not filled yet; one pass, and none where nothing is to fill.

    Patches are summed as whole grey values in float64, which is exact: the filters do not depend on batches, threads or
    device.

    Args:
        model: a classifier, an affect network, a regulated model, or a task around one.
        batches: ``(B, 3, H, W)`` training pictures, uint8 or float in [0, 1], un-augmented; at least one.

    Returns:
        How many layers were filled.
    """
    waiting = [_Filling(layer=layer, owner=owner) for layer, owner in _unfilled(model)]
    if not waiting:
        return 0
    for images in batches:
        for filling in waiting:
            filling.look(images)
    for filling in waiting:
        filling.finish()
    return len(waiting)


def _unfilled(model: nn.Module) -> Iterator[tuple[Whitening, Any]]:
    """Each layer that waits for pictures, once, with the network that says size and normalisation of its pictures."""
    seen: set[int] = set()
    for owner in model.modules():
        if not all(hasattr(owner, name) for name in ("backbone", "image_size", "mean", "std")):
            continue
        backbone: Any = owner.backbone
        for layer in backbone.modules():
            if isinstance(layer, Whitening) and id(layer) not in seen and not layer.filled:
                seen.add(id(layer))
                yield layer, owner


@dataclass(kw_only=True)
class _Filling:
    """Sums over the patches that one layer has seen."""

    layer: Whitening
    owner: Any
    count: int = 0
    sums: Tensor | float = 0.0
    products: Tensor | float = 0.0

    def look(self, images: Tensor) -> None:
        mean = self.owner.mean
        with torch.autocast(images.device.type, enabled=False):
            seen = as_input(images, self.owner.image_size, torch.zeros_like(mean), torch.ones_like(mean))
            patches = _patches(seen.mul(255).round_().double())
            self.count += len(patches) * patches.shape[2]
            self.sums = self.sums + patches.sum((0, 2))
            self.products = self.products + torch.bmm(patches, patches.transpose(1, 2)).sum(0)

    def finish(self) -> None:
        assert isinstance(self.sums, Tensor) and isinstance(self.products, Tensor)
        mean = self.sums / self.count
        scale = 1 / (255 * self.owner.std.double().flatten().to(mean.device).repeat_interleave(SIDE * SIDE))
        self.layer.fill((self.products / self.count - mean.outer(mean)) * scale.outer(scale))


def _patches(images: Tensor) -> Tensor:
    """``(B, C, H, W)`` -> ``(B, 4 C, (H - 1) (W - 1))``: each pixel of a patch a row, in the order of a filter's."""
    height, width = (n - SIDE + 1 for n in images.shape[2:])
    moved = [images[:, :, r : r + height, c : c + width] for r in range(SIDE) for c in range(SIDE)]
    return torch.stack(moved, dim=2).flatten(3).flatten(1, 2)
