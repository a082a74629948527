"""What a backbone says to pictures it cannot read, and its handles."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from affekt.backbones import Backbone, create_backbone
from affekt.backbones.base import meta_forward
from affekt.errors import UsageError


@pytest.fixture(scope="module")
def ours() -> Backbone:
    return create_backbone("resnet8", in_size=32, seed=0)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(2, 1, 32, 32), "(B, 3, H, W) is what it reads"),
        (torch.zeros(3, 32, 32), "(B, 3, H, W) is what it reads"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), "give normalised floats"),
    ],
)
def test_wrong_images(ours: Backbone, images: torch.Tensor, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ours(images)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_fixed_size_is_kept() -> None:
    vit = create_backbone("vit_tiny_patch16_224", in_size=32, width=48, depth=1)
    with pytest.raises(UsageError, match="made for 32 px"):
        vit.feature_map(torch.zeros(1, 3, 64, 64))


def test_convolutional_ones_read_other_sizes(ours: Backbone) -> None:
    assert ours(torch.zeros(1, 3, 48, 40)).shape == (1, 64)


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v2", "timm:resnet10t"])
@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels(name: str, channels: int) -> None:
    backbone = create_backbone(name, in_size=32, in_channels=channels).eval()
    assert backbone(torch.randn(2, channels, 32, 32)).shape == (2, backbone.num_features)
    assert len(backbone.mean) == len(backbone.std) == channels


def test_freezing_all_but_the_last_stage(ours: Backbone) -> None:
    backbone = create_backbone("resnet18", in_size=32, width=8).train()
    for stage in backbone.stages()[:-1]:
        stage.requires_grad_(False).eval()
    names = {n.split(".")[1] for n, p in backbone.named_parameters() if p.requires_grad}
    assert names == {"layer4"}
    norms = {n.split(".")[1] for n, m in backbone.named_modules() if isinstance(m, nn.BatchNorm2d) and m.training}
    assert norms == {"layer4"}


def test_meta_forward_leaves_modes_and_tensors() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network[1].eval()
    before = network[0].weight.clone()
    found = meta_forward(network, nn.Module.__call__, (2, 3, 8, 8))
    assert isinstance(found, torch.Tensor) and found.shape == (2, 4, 6, 6) and found.is_meta
    assert network[0].training and not network[1].training
    assert torch.equal(network[0].weight, before)


def test_cifar_resnet_is_the_one_of_the_paper() -> None:
    """He et al. (2016), table 6: 0.27 million parameters at depth 20, 1.7 million at depth 110."""
    assert sum(p.numel() for p in create_backbone("resnet20").parameters()) == pytest.approx(0.27e6, rel=0.02)
    assert sum(p.numel() for p in create_backbone("resnet110").parameters()) == pytest.approx(1.73e6, rel=0.02)


def test_networks_without_a_map_say_none() -> None:
    backbone, image = create_backbone("timm:coat_tiny"), torch.zeros(1, 3, 224, 224)
    assert backbone.feature_map(image) is None
    # Parts of it stand in it several times: reading its shapes must leave each of them as it was.
    assert backbone(image).shape == (1, backbone.num_features)
