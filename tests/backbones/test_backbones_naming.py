"""Which network a name means, and what a wrong one gets."""

from __future__ import annotations

import subprocess
import sys
from math import sqrt

import pytest
import torch
from torch import nn

from affekt.backbones import create_backbone, default_width, list_backbones
from affekt.backbones.naming import resolve
from affekt.errors import UsageError


@pytest.mark.parametrize(
    ("name", "zoo"),
    [
        ("resnet20", "affekt"),
        ("resnet20-w32", "affekt"),
        ("resnet50", "torchvision"),
        ("resnet18", "torchvision"),
        ("timm:resnet18", "timm"),
        ("torchvision:resnet18", "torchvision"),
        ("vit_tiny_patch16_224", "timm"),
        ("resnet18.a1_in1k", "timm"),
    ],
)
def test_order_of_zoos(name: str, zoo: str) -> None:
    assert resolve(name).zoo == zoo


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mobilnet_v2", 'backbone "mobilnet_v2": unknown. Nearest: mobilenet_v2'),
        ("fe_vgg11", 'backbone "fe_vgg11": unknown. Attention is written behind a "+": vgg11+sagan'),
        ("AlexNet-CBAM", 'Attention is written behind a "+": alexnet+cbam'),
        ("vgg13_bn-non-local", 'Attention is written behind a "+": vgg13_bn+non-local'),
        ("torchvision:resnet20", "backbone of torchvision"),
        ("timm:vit_tinny_patch16_224", "vit_tiny_patch16_224"),
    ],
)
def test_unknown_name_names_the_nearest(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        create_backbone(name)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_list_is_sorted_matches_and_can_be_made() -> None:
    found = list_backbones("vgg11*")
    assert found == sorted(found)
    assert {"vgg11", "timm:vgg11"} <= set(found)
    assert "resnet20" in list_backbones() and "timm:resnet20" not in list_backbones()
    assert list_backbones("no such thing") == []


def test_timm_is_imported_only_for_its_own_names() -> None:
    code = (
        "import sys, affekt; affekt.create_backbone('resnet20', in_size=32); affekt.create_backbone('resnet18'); "
        "assert 'timm' not in sys.modules; affekt.create_backbone('timm:resnet10t'); assert 'timm' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_width_of_ours_by_name_and_by_argument() -> None:
    assert create_backbone("resnet8-w8", in_size=32).num_features == 32
    assert create_backbone("resnet8", width=8, in_size=32).num_features == 32
    assert create_backbone("resnet18", width=24, in_size=32).num_features == 8 * 24


@pytest.mark.parametrize(("name", "first", "last"), [("alexnet", 32, 128), ("vgg13", 32, 256), ("vgg11_bn", 32, 256)])
@pytest.mark.parametrize("size", [48, 224])
def test_vgg_and_alexnet_of_half_the_width(name: str, first: int, last: int, size: int) -> None:
    """Half of each convolution's channels; the linear layers keep their outputs."""
    with torch.device("meta"):
        half = create_backbone(name, width=32, in_size=size)
        whole = create_backbone(name, in_size=size)
    convs, ordinary = ([m for m in b.modules() if isinstance(m, nn.Conv2d)] for b in (half, whole))
    assert [2 * m.out_channels for m in convs] == [m.out_channels for m in ordinary]
    assert [(m.kernel_size, m.stride) for m in convs] == [(m.kernel_size, m.stride) for m in ordinary]
    assert (convs[0].out_channels, convs[-1].out_channels) == (first, last)
    assert half.num_features == whole.num_features == (512 if size == 48 else 4096)


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "vgg11_bn"])
def test_narrow_networks_start_as_torchvision_starts_them(name: str) -> None:
    """AlexNet: torch's uniform, 1 / sqrt(fan in); VGG: He et al.'s normal by fan out, linear layers of 0.01."""

    def spread(weight: torch.Tensor) -> float:
        if name == "alexnet":
            return 1 / sqrt(3 * weight[0].numel())
        return sqrt(2 / weight[:, 0].numel()) if weight.dim() == 4 else 0.01

    made = create_backbone(name, width=60, in_size=224, seed=0).eval()
    for part, weight in made.named_parameters():
        if weight.dim() > 1:
            assert weight.std().item() == pytest.approx(spread(weight), rel=0.05), part
    assert made(torch.zeros(1, 3, 224, 224)).shape == (1, 4096)


@pytest.mark.parametrize(
    ("name", "width"),
    [("resnet20", 16), ("resnet18", 64), ("alexnet", 64), ("vgg11", 64), ("vit_tiny_patch16_224", 192)],
)
def test_default_width_changes_nothing(name: str, width: int) -> None:
    assert default_width(name) == width

    def shapes(**options: int) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in create_backbone(name, in_size=32, **options).parameters()]

    assert shapes() == shapes(width=width)


@pytest.mark.parametrize("name", ["mobilenet_v2", "timm:resnet10t"])
def test_families_without_a_width_say_so(name: str) -> None:
    assert default_width(name) is None
    with pytest.raises(UsageError, match="has no width"):
        create_backbone(name, width=8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "resnet20", "in_size": 4}, "in_size = 4: a whole number of at least 8"),
        ({"name": "resnet20", "width": 0}, "width = 0"),
        ({"name": "resnet20", "bogus": 1}, "no option bogus; it has width"),
        ({"name": "resnet18", "bogus": 1}, "bogus"),
        ({"name": "timm:resnet10t", "bogus": 1}, "bogus"),
        ({"name": "vit_b_16", "in_size": 100}, "no multiple of its patch of 16 px; use 96 or 112"),
        ({"name": "vit_tiny_patch16_224", "in_size": 100}, "no multiple of its patch of 16 px; use 96 or 112"),
        ({"name": "vit_tiny_patch16_224", "width": 100}, "3 heads; use 99 or 102"),
        ({"name": "inception_v3", "in_size": 64}, "cannot read pictures of 64 px; in_size = 96 works"),
        ({"name": "timm:mixer_s16_224", "in_size": 32}, "cannot be made with img_size = 32"),
        ({"name": "timm:pit_ti_224", "in_size": 32}, "cannot be changed for pictures of 32 px"),
        ({"name": "timm:tnt_s_patch16_224", "in_size": 32}, "cannot read pictures of 32 px; in_size = 224 works"),
        ({"name": "resnet20", "mean": (0.5,), "std": (0.5,)}, "3 numbers each"),
    ],
)  # fmt: skip
def test_bad_arguments(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        create_backbone(**options)  # type: ignore[arg-type]
    assert said in str(caught.value) and "\n" not in str(caught.value)
