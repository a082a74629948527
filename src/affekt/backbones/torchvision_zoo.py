"""Any classification network of torchvision without its classifier, by torchvision's name."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affekt.backbones.base import IMAGENET_MEAN, IMAGENET_STD, Built, meta_forward
from affekt.backbones.small_pictures import SMALL, fewer_reductions, new_conv, patch_size, replace
from affekt.backbones.stages import StageNames, by_block, by_resolution
from affekt.backbones.torchvision_widths import default_width, of_width
from affekt.errors import UsageError

SMALL_LINEAR = 512
"""Outputs of the linear layers of VGG and AlexNet for small pictures; 4,096 at their ordinary size."""

__all__ = ["build", "default_width", "feature_map", "head_name", "imagenet", "imagenet_file", "names"]

_OWN_NORMALISATION = ("googlenet", "inception_v3")
"""Their ImageNet weights expect pixels in [-1, 1] (torchvision changes them inside, by ``transform_input``)."""


def names() -> list[str]:
    """Every classification network of the installed torchvision."""
    import torchvision

    found: list[str] = torchvision.models.list_models(module=torchvision.models)
    return found


def build(name: str, *, in_size: int, in_channels: int, width: int | None, options: dict[str, Any]) -> Built:
    """The network with random weights, changed for small pictures where ``in_size`` is below 64.

    Raises:
        UsageError: an unknown option, a width that the family does not have.
    """
    trunk = _create(name, in_size, options)
    if width is not None:
        trunk = of_width(name, trunk, width)
    if type(trunk).__name__ == "MNASNet":
        trunk.__class__ = _MnasNet
    head = _remove_head(trunk)
    stages = _stages(trunk, in_size)
    notes, fresh = _for_size(trunk, in_size)
    if in_channels != 3:
        first = next(n for n, m in trunk.named_modules() if isinstance(m, nn.Conv2d))
        replace(trunk, first, new_conv(trunk.get_submodule(first), in_channels=in_channels))
    own = name in _OWN_NORMALISATION
    vit = _is_vit(trunk)
    side = trunk.image_size // trunk.patch_size if vit else 0
    return Built(
        trunk=trunk,
        feature_map=feature_map,
        head=head,
        stages=stages,
        mean=(0.5,) * 3 if own else IMAGENET_MEAN,
        std=(0.5,) * 3 if own else IMAGENET_STD,
        fixed_size=vit,
        fresh=fresh,
        notes=notes,
        grid=(side, side) if vit else None,
    )


def head_name(name: str) -> str:
    """Name of the classifier in the network's state dict, e.g. ``"classifier.6"``."""
    import torchvision

    with torch.device("meta"):
        return _remove_head(torchvision.models.get_model(name, weights=None))


def imagenet(name: str) -> dict[str, Tensor]:
    """The published ImageNet weights (torchvision's default ones), downloaded once into torch's cache."""
    import torchvision

    with torch.random.fork_rng(devices=[]):
        state: dict[str, Tensor] = torchvision.models.get_model(name, weights="DEFAULT", progress=False).state_dict()
    return state


def imagenet_file(name: str) -> str:
    """The address of those weights."""
    import torchvision

    return str(torchvision.models.get_model_weights(name).DEFAULT.url)


def feature_map(trunk: Any, images: Tensor) -> Tensor:
    """``(B, C, H, W)``: the last map of any of torchvision's networks."""
    if _is_vit(trunk):
        return _patch_map(trunk, images)
    kind = type(trunk).__name__
    if kind == "ResNet":
        x = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(images))))
        return trunk.layer4(trunk.layer3(trunk.layer2(trunk.layer1(x))))  # type: ignore[no-any-return]
    if kind == "DenseNet":
        return F.relu(trunk.features(images), inplace=True)
    if kind == "SwinTransformer":
        return trunk.permute(trunk.norm(trunk.features(images)))  # type: ignore[no-any-return]
    x = images
    for part in _PARTS.get(kind, ("features",)):
        x = _run(getattr(trunk, part), x)
    return x


_PARTS: dict[str, tuple[str, ...]] = {
    "_MnasNet": ("layers",),
    "RegNet": ("stem", "trunk_output"),
    "ShuffleNetV2": ("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5"),
    "MaxVit": ("stem", "blocks"),
    "GoogLeNet": (
        "conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3", "inception4a",
        "inception4b", "inception4c", "inception4d", "inception4e", "maxpool4", "inception5a", "inception5b",
    ),
    "Inception3": (
        "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2",
        "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a",
        "Mixed_7b", "Mixed_7c",
    ),
}  # fmt: skip
"""Class -> the parts that lead to the last map; where absent, the map is what ``features`` returns."""


class _MnasNet(nn.Module):
    """torchvision's MNASNet without its loading, which refuses weights that were not pickled with a version."""

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` -> ``(B, 1280)``, as in torchvision."""
        network: Any = self
        found: Tensor = network.classifier(network.layers(images).mean((2, 3)))
        return found


def _run(part: Any, x: Tensor) -> Tensor:
    """A part, or a list of parts in a row (MaxVit's blocks)."""
    for one in part if isinstance(part, nn.ModuleList) else [part]:
        x = one(x)
    return x


def _patch_map(trunk: Any, images: Tensor) -> Tensor:
    """The patch tokens of a vision transformer as a map."""
    x = trunk._process_input(images)
    x = trunk.encoder(torch.cat([trunk.class_token.expand(len(x), -1, -1), x], dim=1))[:, 1:]
    side = trunk.image_size // trunk.patch_size
    return x.transpose(1, 2).reshape(len(x), -1, side, side)  # type: ignore[no-any-return]


def _is_vit(trunk: Any) -> bool:
    return type(trunk).__name__ == "VisionTransformer"


def _create(name: str, in_size: int, options: dict[str, Any]) -> Any:
    import torchvision

    arguments = dict(options)
    if name in _OWN_NORMALISATION:
        arguments = {"aux_logits": False, "init_weights": True} | arguments
    if name.startswith("vit_"):
        arguments["image_size"] = _vit_size(name, in_size)
    if name.startswith("maxvit"):
        arguments.setdefault("input_size", (in_size, in_size))
    try:
        return torchvision.models.get_model(name, weights=None, **arguments)
    except TypeError as error:
        raise UsageError(f"{name}: option not understood: {' '.join(str(error).split())}") from error
    except (ValueError, AssertionError) as error:
        raise UsageError(f"{name}: in_size = {in_size}: {' '.join(str(error).split())}") from error


def _vit_size(name: str, in_size: int) -> int:
    """The size at which the ordinary patch gives as many patches as the small patch does at ``in_size``."""
    patch = int(name.rsplit("_", 1)[1])
    if in_size >= SMALL:
        if in_size % patch:
            near = sorted({in_size // patch * patch, (in_size // patch + 1) * patch})
            raise UsageError(
                f"{name}: in_size = {in_size} is no multiple of its patch of {patch} px; use {near[0]} or {near[1]}"
            )
        return in_size
    return in_size // patch_size(in_size, in_size / 8) * patch


def _remove_head(trunk: nn.Module) -> str:
    """Replace the last linear layer (SqueezeNet: convolution) by nothing; returns its name."""
    layers = [(n, m) for n, m in trunk.named_modules() if isinstance(m, nn.Linear)]
    layers = layers or [(n, m) for n, m in trunk.named_modules() if isinstance(m, nn.Conv2d)]  # type: ignore[misc]
    name: str = layers[-1][0]
    replace(trunk, name, nn.Identity())
    return name


def _stages(trunk: Any, in_size: int) -> StageNames:
    if _is_vit(trunk):
        blocks = [f"encoder.layers.encoder_layer_{i}" for i in range(len(trunk.encoder.layers))]
        found = by_block(trunk, blocks, ("encoder.ln",))
    else:
        size = in_size if type(trunk).__name__ == "MaxVit" else 224
        found = by_resolution(trunk, partial(meta_forward, trunk, nn.Module.__call__, (1, 3, size, size)))
    return found


def _for_size(trunk: Any, in_size: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Change the network for pictures below 64 px (VGG, AlexNet: up to 64).

    Returns notes, and the tensors whose published values are lost.
    """
    kind = type(trunk).__name__
    if kind in ("VGG", "AlexNet") and in_size <= SMALL:
        return _small_map(trunk)
    if in_size >= SMALL:
        return (), frozenset()
    if kind == "ResNet":
        trunk.conv1 = new_conv(trunk.conv1, kernel_size=3, stride=1, padding=1)
        trunk.maxpool = nn.Identity()
        return ("stem: 3 x 3, stride 1, no max-pool",), frozenset({"conv1.weight"})
    if kind == "DenseNet":
        trunk.features.conv0 = new_conv(trunk.features.conv0, kernel_size=3, stride=1, padding=1)
        trunk.features.pool0 = nn.Identity()
        return ("stem: 3 x 3, stride 1, no max-pool",), frozenset({"features.conv0.weight"})
    if kind == "VisionTransformer":
        return _small_patch(trunk, in_size)
    shape = (1, 3, 224, 224)
    last: Any = meta_forward(trunk, feature_map, shape)
    run = partial(meta_forward, trunk, nn.Module.__call__, shape)
    changed = fewer_reductions(trunk, run, round(224 / last.shape[2]))
    return (f"reductions taken out: {', '.join(changed)}",), frozenset()


def _small_map(trunk: Any) -> tuple[tuple[str, ...], frozenset[str]]:
    """VGG: three of five pools; AlexNet: stride 1 in the first convolution; one point before smaller linear layers."""
    if type(trunk).__name__ == "AlexNet":
        trunk.features[0].stride, trunk.features[0].padding = (1, 1), (5, 5)
    else:
        pools = [n for n, m in trunk.features.named_children() if isinstance(m, nn.MaxPool2d)]
        for name in pools[3:]:
            replace(trunk.features, name, nn.Identity())
    trunk.avgpool = nn.AdaptiveAvgPool2d(1)
    layers = [n for n, m in trunk.classifier.named_children() if isinstance(m, nn.Linear)]
    channels = next(m.out_channels for m in reversed([*trunk.features]) if isinstance(m, nn.Conv2d))
    for name in layers:
        replace(trunk.classifier, name, nn.Linear(channels, SMALL_LINEAR))
        channels = SMALL_LINEAR
    fresh = frozenset(f"classifier.{name}.{part}" for name in layers for part in ("weight", "bias"))
    return (f"fewer reductions, last map averaged to one point, linear layers of {SMALL_LINEAR}",), fresh


def _small_patch(trunk: Any, in_size: int) -> tuple[tuple[str, ...], frozenset[str]]:
    patch = patch_size(in_size, in_size / 8)
    conv = trunk.conv_proj
    trunk.conv_proj = new_conv(conv, kernel_size=patch, stride=patch)
    trunk.patch_size, trunk.image_size = patch, in_size
    return (f"patch of {patch} px",), frozenset()
