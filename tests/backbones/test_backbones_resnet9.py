"""ResNet-9: its shapes and sizes, as its name says them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from affekt.backbones import create_backbone, default_width, list_backbones
from affekt.backbones.ours import FAMILIES, head_name
from affekt.errors import UsageError
from affekt.recipe import Recipe, from_dict
from affekt.study.matching import classifier_parameters, matched_width


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("name", "stages", "features", "side"),
    [
        # 3 x 3 x 3 x 64 + a norm; (3 x 3 x 64 x 128 + a norm) + 2 x (3 x 3 x 128 x 128 + a norm) ...
        ("resnet9", (1_856, 369_408, 295_424, 5_901_312), 512, 4),
        ("resnet9-whitened", (1_688, 369_408, 295_424, 5_901_312), 512, 3),
        ("resnet9-w16", (464, 23_232, 18_560, 369_408), 128, 4),
        ("resnet9-whitened-w32", (856, 92_544, 73_984, 1_476_096), 256, 3),
    ],
)
def test_shapes_and_parameters(name, stages, features, side):
    backbone = create_backbone(name, in_size=32, seed=0)
    assert tuple(count(stage) for stage in backbone.stages()) == stages and count(backbone) == sum(stages)
    images = torch.randn(2, 3, 32, 32)
    assert backbone(images).shape == (2, backbone.num_features) == (2, features)
    found = backbone.feature_map(images)
    assert found is not None and found.shape == (2, features, side, side)


def test_features_are_an_eighth_of_the_largest_values():
    backbone = create_backbone("resnet9-w8", in_size=32, seed=0).eval()
    images = torch.randn(2, 3, 32, 32)
    found = backbone.feature_map(images)
    assert found is not None
    assert torch.equal(backbone(images), found.flatten(2).max(2).values / 8)


def test_residuals_go_around_their_convolutions():
    """With what they add scaled to nothing, the stages let through what they pool."""
    backbone = create_backbone("resnet9-w8", in_size=32, seed=0).eval()
    residual = backbone.trunk.layer1[1]
    with torch.no_grad():
        residual.second.bn.weight.zero_()
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(residual(x), x)


def convolved(x, part, *, size=3, pool=False):
    """As Jordan has it: convolution, pooling, norm, GELU."""
    y = F.conv2d(x, part.conv.weight, padding=size // 2)
    y = F.max_pool2d(y, 2) if pool else y
    norm = part.bn
    return F.gelu(F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps))


def added(x, part):
    return x + convolved(convolved(x, part.first), part.second)


@pytest.mark.parametrize("name", ["resnet9-w4", "resnet9-whitened-w4"])
def test_forward_is_what_its_parts_give_in_order(name):
    backbone = create_backbone(name, in_size=24, seed=0).eval()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight)  # of both signs: then it matters whether pooling comes first
    trunk, images = backbone.trunk, torch.randn(2, 3, 24, 24)
    white = trunk.whitening
    x = images if white is None else F.gelu(F.conv2d(images, white.weight, white.bias))
    x = convolved(x, trunk.stem, size=3 if white is None else 1)
    x = added(convolved(x, trunk.layer1[0], pool=True), trunk.layer1[1])
    x = convolved(x, trunk.layer2[0], pool=True)
    x = added(convolved(x, trunk.layer3[0], pool=True), trunk.layer3[1])
    assert torch.allclose(backbone(images), x.amax((2, 3)) / 8, atol=1e-5)


def test_names_widths_and_what_is_no_name_of_ours():
    assert list_backbones("resnet9*") == ["resnet9", "resnet9-whitened"]
    assert (head_name("resnet9-whitened"), head_name("resnet8-w4")) == ("linear", "fc")
    assert (default_width("resnet9"), default_width("resnet9-whitened-w24")) == (64, 24)
    assert create_backbone("resnet9", in_size=16, width=4.25).num_features == 34
    for name in ("resnet9-w0", "resnet9-white", "resnet9-w32-whitened", "resnet90"):
        with pytest.raises(UsageError, match="unknown"):
            create_backbone(name, in_size=32)
    with pytest.raises(UsageError, match="no option drop; it has width"):
        create_backbone("resnet9", in_size=32, drop=0.1)


def test_no_name_means_two_of_ours():
    for name in (name for family in FAMILIES for name in family.names()):
        assert sum(family.parse(name) is not None for family in FAMILIES) == 1


@pytest.mark.parametrize(("name", "side"), [("resnet9-w4", 8), ("resnet9-whitened-w4", 9)])
def test_the_smallest_pictures(name, side):
    assert create_backbone(name, in_size=side).num_features == 32
    if side > 8:
        with pytest.raises(UsageError, match="cannot read pictures of 8 px"):
            create_backbone(name, in_size=side - 1)


@pytest.mark.parametrize("factor", [1.0, 2.3, 5.0])
def test_a_width_for_any_number_of_parameters(factor):
    recipe = from_dict(Recipe, {"model": {"kind": "classifier", "backbone": "resnet9-whitened-w16"}})
    wanted = round(factor * classifier_parameters("resnet9-whitened-w16", 10, 32, None))
    width = matched_width(recipe, 10, wanted)
    assert classifier_parameters("resnet9-whitened-w16", 10, 32, width) == pytest.approx(wanted, rel=0.02)
