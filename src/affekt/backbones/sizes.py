"""Sizes: the side of the pictures that a network sees in training, which may be smaller than in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from affekt.backbones.base import shape_forward
from affekt.errors import UsageError


def seen_size(model: Any) -> int:
    """Side of what the backbone of ``model`` sees now, pixels: its ``image_size``, or in training mode what
    :func:`set_training_size` says, where that is less."""
    size = int(model.image_size)
    chosen = getattr(model, "training_size", None) if model.training else None
    return size if chosen is None else min(size, int(chosen))


def set_training_size(module: nn.Module, size: int | None) -> None:
    """Let every network in ``module`` see its pictures at this side as long as it is in training mode; None: full size.

    What is in evaluation mode, as a frozen emotional encoder always is, sees its own size throughout.
    """
    for network in networks(module):
        network.training_size = size


def check_sizes(module: nn.Module, sizes: Sequence[int]) -> None:
    """Refuse sizes at which a network in ``module`` cannot train.

    Raises:
        UsageError: a size above that of the pictures, one that the backbone cannot read, or no pictures at all.
    """
    if not sizes:
        return
    found = [network for network in networks(module) if any(p.requires_grad for p in network.parameters())]
    if not found:
        raise UsageError(f"[training] sizes = {list(sizes)}: nothing here learns from pictures; leave it out")
    for network in found:
        largest = int(network.image_size)
        above = [size for size in sizes if size > largest]
        if above:
            raise UsageError(
                f"[training] sizes = {list(sizes)}: {above[0]} px is above image_size = {largest}; write less"
            )
        for size in sorted(set(sizes)):
            _check_size(network.backbone, size, largest, sizes)


def networks(module: nn.Module) -> Iterator[Any]:
    """The parts of ``module`` that bring pictures to the size of a backbone of theirs."""
    for part in module.modules():
        if hasattr(part, "image_size") and isinstance(getattr(part, "backbone", None), nn.Module):
            yield part


def _check_size(backbone: Any, size: int, full: int, sizes: Sequence[int]) -> None:
    channels = int(getattr(backbone, "in_channels", 3))
    try:
        found = shape_forward(backbone, nn.Module.__call__, (2, channels, size, size))
        works = isinstance(found, Tensor) and found.ndim == 2
    except (RuntimeError, ValueError, AssertionError, UsageError):
        works = False
    if not works:
        name = getattr(backbone, "name", type(backbone).__name__)
        raise UsageError(
            f"[training] sizes = {list(sizes)}: {name}, made for {full} px, cannot read pictures of {size} px; write "
            "larger ones, or leave it out"
        )
