"""Narrower and wider networks of torchvision: ResNets, VGG and AlexNet, every stage in proportion."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from affekt.backbones.small_pictures import new_conv, replace
from affekt.errors import UsageError

ORDINARY = 64
"""Channels of the first stage of all of these families."""

_FAMILIES = ("resnet", "resnext", "wide_resnet", "vgg", "alexnet")


def default_width(name: str) -> int | None:
    """64 for ResNets, VGG and AlexNet, whose channels ``width`` multiplies; None for the families without it."""
    return ORDINARY if name.startswith(_FAMILIES) else None


def of_width(name: str, trunk: nn.Module, width: int) -> nn.Module:
    """A network as ``trunk`` with ``width`` instead of 64 channels in its first stage, and the others in proportion.

    The linear layers of VGG and AlexNet keep their outputs (4,096; 512 for small pictures).

    Raises:
        UsageError: a family without a width.
    """
    from torchvision.models import VGG, AlexNet, ResNet

    if isinstance(trunk, ResNet):
        return _resnet(trunk, width)
    if isinstance(trunk, (AlexNet, VGG)):
        return _sequence(trunk, width)
    raise UsageError(
        f"{name}: has no width; ResNets, VGG and AlexNet of torchvision have one (default {ORDINARY}), and ours"
    )


def _resnet(like: Any, width: int) -> nn.Module:
    from torchvision.models import ResNet

    class _WidthResNet(ResNet):  # type: ignore[misc]
        def _make_layer(self, block: Any, planes: int, *arguments: Any, **named: Any) -> Any:
            if planes == ORDINARY:
                self.inplanes = width
            return super()._make_layer(block, planes * width // ORDINARY, *arguments, **named)

    layers = [like.layer1, like.layer2, like.layer3, like.layer4]
    block = type(like.layer1[0])
    made = _WidthResNet(block, [len(layer) for layer in layers], groups=like.groups, width_per_group=like.base_width)
    made.conv1 = new_conv(made.conv1, out_channels=width)
    made.bn1 = nn.BatchNorm2d(width)
    made.__class__ = ResNet
    made.fc = nn.Linear(8 * width * block.expansion, 1)
    return made


def _sequence(trunk: Any, width: int) -> nn.Module:
    """VGG, AlexNet: convolutions one after the other, then linear layers that read every point of the last map."""
    from torchvision.models import VGG

    fresh = new_conv if isinstance(trunk, VGG) else _default_conv
    channels = 3
    for name, layer in trunk.features.named_children():
        if isinstance(layer, nn.Conv2d):
            of = max(1, layer.out_channels * width // ORDINARY)
            replace(trunk.features, name, fresh(layer, in_channels=channels, out_channels=of))
            channels = of
        elif isinstance(layer, nn.BatchNorm2d):
            replace(trunk.features, name, nn.BatchNorm2d(channels))
    name, first = next((n, m) for n, m in trunk.classifier.named_children() if isinstance(m, nn.Linear))
    made = nn.Linear(channels * math.prod(trunk.avgpool.output_size), first.out_features)
    if isinstance(trunk, VGG):
        nn.init.normal_(made.weight, 0, 0.01)
        nn.init.zeros_(made.bias)
    replace(trunk.classifier, name, made)
    return trunk  # type: ignore[no-any-return]


def _default_conv(like: nn.Conv2d, in_channels: int, out_channels: int) -> nn.Conv2d:
    """As AlexNet makes them: torch's own initial weights, not VGG's."""
    return nn.Conv2d(in_channels, out_channels, like.kernel_size, like.stride, like.padding)  # type: ignore[arg-type]
