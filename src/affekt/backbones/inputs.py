"""Inputs: from pictures in [0, 1] of any size to what a network reads, its own size and normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.errors import UsageError


def add_normalisation(model: nn.Module, backbone: nn.Module) -> None:
    """Give ``model`` the buffers ``mean`` and ``std``, ``(1, 3, 1, 1)``, that its backbone's initial weights expect.

    A backbone of somebody else's that states none gets 0.5 and 0.25.
    """
    for name, default in (("mean", 0.5), ("std", 0.25)):
        stated = getattr(backbone, name, None)
        values: Sequence[float] = (default,) * 3 if stated is None else tuple(stated)
        model.register_buffer(name, torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1))


def as_input(images: Tensor, image_size: int, mean: Tensor, std: Tensor) -> Tensor:
    """``(B, 3, H, W)`` RGB, float in [0, 1] or uint8 -> ``(B, 3, S, S)`` float32, resized (antialiased) and normalised.

    Raises:
        UsageError: not a batch of pictures with the channels that ``mean`` has.
    """
    if images.ndim != 4 or images.shape[1] != mean.shape[1]:
        raise UsageError(f"images of shape {tuple(images.shape)}: give (B, {mean.shape[1]}, H, W) in [0, 1]")
    with torch.autocast(images.device.type, enabled=False):
        pictures = images.float() / 255 if images.dtype == torch.uint8 else images.float()
        if tuple(pictures.shape[2:]) != (image_size, image_size):
            pictures = F.interpolate(pictures, (image_size, image_size), mode="bilinear", antialias=True)
        return (pictures - mean) / std
