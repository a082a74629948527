"""ResNet-9, the network of the speed records on CIFAR-10: few layers, wide ones, pooled early, for few epochs.

After D. Page, "How to Train Your ResNet" (2018-2019), whose network reached 94 % in 24, later in 10 epochs; with GELU,
and pooling before the norm, as in its successors (K. Jordan, arXiv:2404.00498). ``resnet9-whitened`` has their first
layer, which is computed from training pictures (:mod:`affekt.backbones.whitening`). 6.6 million parameters at width 64,
a quarter of it at ``resnet9-w32``.
"""

from __future__ import annotations

import re

from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.whitening import Whitening

WIDTH = 64
SCALE = 0.125
"""Of the features: the largest of a map's values would give logits with which training starts too sure of itself
(Page's factor on the logits)."""

HEAD = "linear"
"""Where implementations of this network keep their classifier."""

STAGES = (("whitening", "stem"), ("layer1",), ("layer2",), ("layer3",))
"""Parts of the network, stage by stage."""

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


def names() -> list[str]:
    """Both, without a width."""
    return ["resnet9", "resnet9-whitened"]


def create(whitened: bool, width: float, in_channels: int) -> ResNet9:
    """The network of what :func:`parse` says, perhaps at another width."""
    return ResNet9(width, in_channels, whitened=whitened)
