"""The ResNets of He et al. (2016), section 4.2, for 32-pixel pictures: depth 6n + 2, shortcuts without parameters.

K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, CVPR 2016. ResNet-20 of width 16 has 0.27
million parameters; ResNet-110 1.7 million.
"""

from __future__ import annotations

import re

from torch import Tensor, nn
from torch.nn import functional as F

DEPTHS = (8, 14, 20, 32, 44, 56, 110)
"""6n + 2 for n = 1, 2, 3, 5, 7, 9, 18; depths that torchvision or timm use for other networks are left to them."""

WIDTH = 16

HEAD = "fc"
"""Where implementations of these networks keep their classifier."""

STAGES = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",))
"""Parts of the network, stage by stage."""

_NAME = re.compile(r"resnet(\d+)(?:-w(\d+))?")


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (option A: subsampled, missing channels are zero)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride = stride
        self.extra = channels - channels_in

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` -> ``(B, C', H / stride, W / stride)``."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.extra:
            x = F.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))
        return F.relu(y + x, inplace=True)


class CifarResNet(nn.Module):
    """``(B, C, S, S)`` -> ``(B, 4 width)``: stem, three stages with 1, 2 and 4 times the width, mean over the map.

    A width that is no whole number is rounded for each stage: 25.25 makes 25, 50 and 101 channels, so that a number of
    parameters can be met closely.
    """

    def __init__(self, depth: int, width: float = WIDTH, in_channels: int = 3) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        first, second, third = (round(times * width) for times in (1, 2, 4))
        self.conv1 = nn.Conv2d(in_channels, first, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = _stage(first, first, blocks, 1)
        self.layer2 = _stage(first, second, blocks, 2)
        self.layer3 = _stage(second, third, blocks, 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_features(self, images: Tensor) -> Tensor:
        """``(B, 4 width, S / 4, S / 4)``."""
        x = F.relu(self.bn1(self.conv1(images)), inplace=True)
        found: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 4 width)``."""
        return self.forward_features(images).mean((2, 3))


def _stage(channels_in: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
    first = Block(channels_in, channels, stride)
    return nn.Sequential(first, *(Block(channels, channels, 1) for _ in range(blocks - 1)))


def parse(name: str) -> tuple[int, int] | None:
    """``"resnet20-w32"`` -> (20, 32); None where the name is not one of ours."""
    found = _NAME.fullmatch(name)
    if not found or int(found[1]) not in DEPTHS:
        return None
    return int(found[1]), int(found[2] or WIDTH)


def names() -> list[str]:
    """The depths of the paper, and two smaller ones."""
    return [f"resnet{depth}" for depth in DEPTHS]


def create(depth: int, width: float, in_channels: int) -> CifarResNet:
    """The network of what :func:`parse` says, perhaps at another width."""
    return CifarResNet(depth, width, in_channels)
