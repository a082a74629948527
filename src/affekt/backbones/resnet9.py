"""ResNet-9, the network of the speed records on CIFAR-10: few layers, wide ones, pooled early, for few epochs.

After D. Page, "How to Train Your ResNet" (2018-2019), whose network reached 94 % in 24, later in 10 epochs; with GELU,
and pooling before the norm, as in its successors (K. Jordan, arXiv:2404.00498). ``resnet9-whitened`` has their first
layer, which is computed from training pictures (:mod:`affekt.backbones.whitening`). 6.6 million parameters at width 64,
a quarter of it at ``resnet9-w32``.
"""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.base import Built
from affekt.backbones.whitening import Whitening
from affekt.errors import UsageError

WIDTH = 64
SCALE = 0.125
"""Of the features: the largest of a map's values would give logits with which training starts too sure of itself
(Page's factor on the logits)."""

_NAME = re.compile(r"resnet9(-whitened)?(?:-w([1-9]\d*))?")


class Convolution(nn.Module):
    """3 x 3 convolution, max-pool where asked for, norm, GELU: pooled first, the norm has a quarter of the work."""

    def __init__(self, channels_in: int, channels: int, *, size: int = 3, pool: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, size, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` -> ``(B, C', H, W)``, or half of height and width, rounded down."""
        x = self.conv(x)
        return F.gelu(self.bn(F.max_pool2d(x, 2) if self.pool else x))


class Residual(nn.Module):
    """Two convolutions around which the input goes too."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels)
        self.second = Convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``, as it comes."""
        out: Tensor = x + self.second(self.first(x))
        return out


class ResNet9(nn.Module):
    """``(B, C, S, S)`` -> ``(B, 8 width)``: stem, three pooled stages of 2, 4 and 8 times the width, of which the first
    and the last are residual, and the largest value of each map.

    Each stage is rounded for itself, so that a width that is no whole number meets a number of parameters closely.
    """

    def __init__(self, width: float = WIDTH, in_channels: int = 3, *, whitened: bool = False) -> None:
        super().__init__()
        stem, first, second, third = (round(times * width) for times in (1, 2, 4, 8))
        self.whitening = Whitening(in_channels) if whitened else None
        given = in_channels if self.whitening is None else self.whitening.channels
        self.stem = Convolution(given, stem, size=1 if whitened else 3)
        self.layer1 = nn.Sequential(Convolution(stem, first, pool=True), Residual(first))
        self.layer2 = nn.Sequential(Convolution(first, second, pool=True))
        self.layer3 = nn.Sequential(Convolution(second, third, pool=True), Residual(third))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_features(self, images: Tensor) -> Tensor:
        """``(B, 8 width, S / 8, S / 8)``; behind a whitening layer ``(S - 1) / 8``; rounded down."""
        x = images if self.whitening is None else F.gelu(self.whitening(images))
        found: Tensor = self.layer3(self.layer2(self.layer1(self.stem(x))))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 8 width)``."""
        return self.forward_features(images).amax((2, 3)) * SCALE


def parse(name: str) -> tuple[bool, int] | None:
    """``"resnet9-whitened-w32"`` -> (True, 32): whether it is whitened, and the width; None for another name."""
    found = _NAME.fullmatch(name)
    return (found[1] is not None, int(found[2] or WIDTH)) if found else None


def default_width(name: str) -> int:
    """64, or what the name says."""
    parsed = parse(name)
    return parsed[1] if parsed else WIDTH


def head_name(_name: str) -> str:
    """Where implementations of this network keep their classifier."""
    return "linear"


def names() -> list[str]:
    """Both, without a width."""
    return ["resnet9", "resnet9-whitened"]


def build(name: str, *, in_size: int, in_channels: int, width: float | None, options: dict[str, Any]) -> Built:
    """One of both by name; the same network at every picture size.

    Raises:
        UsageError: an option, which these networks do not have.
    """
    del in_size
    if options:
        raise UsageError(f"{name}: no option {', '.join(sorted(options))}; it has width (default {WIDTH})")
    parsed = parse(name)
    assert parsed is not None
    trunk = ResNet9(width or parsed[1], in_channels, whitened=parsed[0])
    names = [n for n, _ in trunk.named_parameters()]
    parts = (("whitening", "stem"), ("layer1",), ("layer2",), ("layer3",))
    return Built(
        trunk=trunk,
        feature_map=feature_map,
        head="linear",
        stages=tuple(tuple(n for n in names if n.split(".")[0] in part) for part in parts),
        mean=(0.5,) * in_channels,
        std=(0.25,) * in_channels,
    )


def feature_map(trunk: nn.Module, images: Tensor) -> Tensor:
    """The map before its largest values are taken; a named function, so that a backbone can be copied and sent."""
    assert isinstance(trunk, ResNet9)
    return trunk.forward_features(images)
