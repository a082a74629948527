"""What a network becomes below 64 pixels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from affekt.backbones import create_backbone
from affekt.backbones.small_pictures import EvenConv, patch_size


@pytest.mark.parametrize("name", ["resnet18", "timm:resnet18"])
def test_resnets_get_the_small_stem_below_64_only(name: str) -> None:
    small, large = create_backbone(name, in_size=32), create_backbone(name, in_size=64)
    assert small.trunk.conv1.kernel_size == (3, 3) and small.trunk.conv1.stride == (1, 1)
    assert isinstance(small.trunk.maxpool, nn.Identity)
    assert large.trunk.conv1.kernel_size == (7, 7) and isinstance(large.trunk.maxpool, nn.MaxPool2d)
    assert small.notes and not large.notes


@pytest.mark.parametrize(("in_size", "patch"), [(32, 4), (48, 6), (28, 2), (40, 5), (64, 16)])
@pytest.mark.parametrize("name", ["vit_b_16", "vit_tiny_patch16_224"])
def test_vision_transformers_get_a_smaller_patch(name: str, in_size: int, patch: int) -> None:
    with torch.device("meta"):
        conv = next(m for m in create_backbone(name, in_size=in_size).modules() if isinstance(m, nn.Conv2d))
    assert conv.kernel_size == conv.stride == (patch, patch)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "timm:convnext_atto", "timm:resnet10t"])
@pytest.mark.parametrize(("in_size", "side"), [(32, 4), (48, 6)])
def test_the_last_map_is_an_eighth_of_the_picture(name: str, in_size: int, side: int) -> None:
    found = create_backbone(name, in_size=in_size).eval().feature_map(torch.zeros(1, 3, in_size, in_size))
    assert found is not None and found.shape[2:] == (side, side)


def test_kernels_of_other_families_keep_their_shape() -> None:
    for name in ("mobilenet_v2", "timm:convnext_atto"):
        small, large = create_backbone(name, in_size=32), create_backbone(name, in_size=224)
        assert [p.shape for p in small.parameters()] == [p.shape for p in large.parameters()]


def test_even_kernels_keep_the_size_and_their_values() -> None:
    conv = nn.Conv2d(3, 5, 4)
    conv.__class__ = EvenConv
    images = torch.randn(2, 3, 8, 8)
    assert conv(images).shape == (2, 5, 8, 8)
    padded = nn.functional.pad(images, (1, 2, 1, 2))
    torch.testing.assert_close(conv(images), nn.functional.conv2d(padded, conv.weight, conv.bias))


@pytest.mark.parametrize(("in_size", "wanted", "patch"), [(32, 4, 4), (28, 3.5, 2), (31, 3.9, 1), (32, 0.5, 1)])
def test_patch_tiles_the_picture(in_size: int, wanted: float, patch: int) -> None:
    assert patch_size(in_size, wanted) == patch
