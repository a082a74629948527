"""Layers by the names that a network's paper gives them: ``conv1`` ... ``conv5`` of AlexNet, ``conv3_2`` of VGG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from torch import nn


def papers_names(trunk: nn.Module) -> Mapping[str, str]:
    """Name in the paper -> dotted name of the module in which that layer ends, its ReLU; empty for most networks.

    AlexNet's are numbered through. VGG's have the number of their block and that in it; ``conv3`` is the last of block
    3. AlexNet's convolutions themselves are ``features.0``, ``3``, ``6``, ``8``, ``10``.
    """
    features = getattr(trunk, "features", None)
    kind = type(trunk).__name__
    if kind not in ("AlexNet", "VGG") or not isinstance(features, nn.Sequential):
        return {}
    blocks = list(_blocks(features))
    if kind == "AlexNet":
        return {f"conv{number}": name for number, name in enumerate(chain(*blocks), start=1)}
    layers = {f"conv{b}_{n}": name for b, block in enumerate(blocks, 1) for n, name in enumerate(block, 1)}
    return layers | {f"conv{b}": block[-1] for b, block in enumerate(blocks, 1)}


def _blocks(features: nn.Sequential) -> Iterator[list[str]]:
    """The ReLUs of each block. Blocks end in a pool, or in what stands where one was taken out."""
    block: list[str] = []
    for place, module in features.named_children():
        if isinstance(module, nn.ReLU):
            block.append(f"features.{place}")
        elif block and not isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            yield block
            block = []
    if block:
        yield block
