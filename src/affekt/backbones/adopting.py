"""Adopting: a backbone, by name or somebody's own, made part of a model together with what it expects of pictures."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from affekt.backbones.creating import create_backbone
from affekt.backbones.inputs import add_normalisation, check_backbone


def adopt(
    model: nn.Module,
    backbone: str | nn.Module,
    image_size: int,
    *,
    initial: str | Path = "random",
    width: float | None = None,
    seed: int | None = None,
) -> None:
    """Give ``model`` its ``backbone``, and the buffers ``mean`` and ``std`` of the pictures that it expects.

    Args:
        backbone: a name for :func:`create_backbone`, which the other arguments are for, or a module that is taken as it
            is.

    Raises:
        UsageError: what :func:`create_backbone` refuses, or a module without ``num_features``.
    """
    if isinstance(backbone, str):
        backbone = create_backbone(backbone, initial=initial, in_size=image_size, width=width, seed=seed)
    check_backbone(backbone)
    model.backbone = backbone
    add_normalisation(model, backbone)
