"""Inputs: from pictures in [0, 1] of any size to what a network reads, its own size and normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.sizes import seen_size
from affekt.errors import UsageError


def check_backbone(backbone: object) -> None:
    """Refuse somebody's own module that does not say how many features it gives.

    Raises:
        UsageError: what it lacks.
    """
    count = getattr(backbone, "num_features", None)
    if not isinstance(backbone, nn.Module) or not isinstance(count, int):
        raise UsageError(
            f"backbone {type(backbone).__name__}: give a name, or a module with num_features, the length of its output"
        )


def features_of(model: Any, images: Tensor) -> Tensor:
    """``(B, D)``: what the ``backbone`` of ``model`` says of pictures, at the model's size and normalisation.

    In training, at the smaller size that :func:`~affekt.backbones.sizes.set_training_size` may have set.

    Raises:
        UsageError: what :func:`as_input` refuses, or another shape than the backbone's ``num_features`` promises.
    """
    backbone = model.backbone
    features: Tensor = backbone(as_input(images, seen_size(model), model.mean, model.std))
    promised = int(backbone.num_features)
    if features.ndim != 2 or features.shape[1] != promised:
        raise UsageError(
            f"backbone {type(backbone).__name__}: gives {tuple(features.shape)} for a batch, but its num_features says "
            f"(B, {promised})"
        )
    return features


def add_normalisation(model: nn.Module, backbone: nn.Module) -> None:
    """Give ``model`` the buffers ``mean`` and ``std``, ``(1, 3, 1, 1)``, that its backbone's initial weights expect.

    A backbone of somebody else's that states none gets 0.5 and 0.25.
    """
    for name, default in (("mean", 0.5), ("std", 0.25)):
        stated = getattr(backbone, name, None)
        values: Sequence[float] = (default,) * 3 if stated is None else tuple(stated)
        model.register_buffer(name, torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1))


def as_input(images: Tensor, image_size: int, mean: Tensor, std: Tensor) -> Tensor:
    """``(B, 3, H, W)`` RGB, float in [0, 1] or uint8 -> ``(B, 3, S, S)`` resized (antialiased) and normalised.

    Computed in float32 or better, returned in the type of ``mean``, which is that of the network.

    Raises:
        UsageError: no tensor, not a batch of pictures with the channels that ``mean`` has, or (looked at on a CPU only:
            reading a value back would stall a GPU) numbers that cannot be a picture's.
    """
    if not isinstance(images, Tensor):
        raise UsageError(f"images: a {type(images).__name__}; give a tensor, of an array: torch.from_numpy(array)")
    if images.ndim != 4 or images.shape[1] != mean.shape[1]:
        raise UsageError(f"images of shape {tuple(images.shape)}: give (B, {mean.shape[1]}, H, W) in [0, 1]")
    _check_range(images)
    precise = torch.promote_types(torch.float32, mean.dtype)
    with torch.autocast(images.device.type, enabled=False):
        # What was made here is changed in place: of a small network these passes are a share of its time.
        pictures = images.to(precise).div_(255) if images.dtype == torch.uint8 else images.to(precise)
        if tuple(pictures.shape[2:]) != (image_size, image_size):
            pictures = F.interpolate(pictures, (image_size, image_size), mode="bilinear", antialias=True)
        centred = pictures.sub_(mean) if images.dtype == torch.uint8 else pictures - mean
        return centred.div_(std).to(mean.dtype)


FAR = 0.5
"""What a picture may lie outside of [0, 1], as after a sharpening resize, before it is taken for something else."""


def _check_range(images: Tensor) -> None:
    if (
        images.dtype == torch.uint8
        or images.device.type != "cpu"
        or not images.numel()
        or torch.compiler.is_compiling()
    ):
        return
    try:
        low, high = (float(v) for v in images.detach().aminmax())
    except RuntimeError:  # inside a transform of torch.func there are no values to look at
        return
    if not (low >= -FAR and high <= 1 + FAR):  # so that NaN is caught too
        what = f"from {low:.3g} to {high:.3g}" if math.isfinite(low + high) else "that are NaN or infinite"
        raise UsageError(
            f"images: values {what}; give uint8, or floats in [0, 1] that are not normalised: the model does that"
        )
