"""Any network of timm without its classifier, by timm's name; timm is imported when the first of them is asked for."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
import warnings
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from affekt.backbones.base import Built, meta_forward
from affekt.backbones.small_pictures import SMALL, TOTAL_STRIDE, fewer_reductions, new_conv, patch_size
from affekt.backbones.stages import StageNames, by_resolution, complete
from affekt.errors import UsageError


def names() -> list[str]:
    """Every network of the installed timm, without the tags of its weights."""
    import timm

    found: list[str] = timm.list_models()
    return found


def knows(name: str) -> bool:
    """Whether timm has the architecture; a tag of weights (``resnet18.a1_in1k``) may follow, a hub name too."""
    import timm

    return name.startswith(("hf-hub:", "hf_hub:")) or bool(timm.is_model(name.partition(".")[0]))


def build(name: str, *, in_size: int, in_channels: int, width: int | None, options: dict[str, Any]) -> Built:
    """The network with random weights, changed for small pictures where ``in_size`` is below 64.

    Raises:
        UsageError: an unknown option, a width that the family does not have, a size that does not fit.
    """
    probe = _probe(name)
    arguments = _arguments(name, probe, in_size, width) | options
    trunk = _create(name, in_chans=in_channels, **arguments)
    notes, fresh = _for_size(trunk, in_size, arguments)
    grid = getattr(_embedding(trunk), "grid_size", None)
    config: dict[str, Any] = trunk.pretrained_cfg
    return Built(
        trunk=trunk,
        feature_map=feature_map,
        head=_head(config),
        stages=_stages(trunk),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        fixed_size="img_size" in arguments,
        fresh=fresh,
        notes=notes,
        grid=tuple(grid) if grid else None,
    )


def head_name(name: str) -> str:
    """Name of the classifier in the network's state dict, e.g. ``"head.fc"``."""
    return _head(_probe(name).pretrained_cfg)


def imagenet(name: str) -> dict[str, Tensor]:
    """timm's published weights for that name (the tag's, else its default ones), from the hub's cache or the hub."""
    import timm

    _reachable(name)
    with torch.random.fork_rng(devices=[]):
        state: dict[str, Tensor] = timm.create_model(name, pretrained=True).state_dict()
    return state


def _reachable(name: str) -> None:
    """OSError at once where weights are neither in the cache nor to be had; the hub's client would retry for long."""
    import timm
    from huggingface_hub import try_to_load_from_cache

    hub = getattr(timm.models.get_pretrained_cfg(name), "hf_hub_id", None)
    files = ("model.safetensors", "pytorch_model.bin")
    if hub is None or any(isinstance(try_to_load_from_cache(hub, file), str) for file in files):
        return
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(imagenet_file(name), method="HEAD"), timeout=15).close()


def imagenet_file(name: str) -> str:
    """Where those weights come from."""
    import timm

    config = timm.models.get_pretrained_cfg(name)
    hub = getattr(config, "hf_hub_id", None)
    return f"https://huggingface.co/{hub}/resolve/main/model.safetensors" if hub else str(getattr(config, "url", name))


def feature_map(trunk: nn.Module, images: Tensor) -> Tensor | None:
    """``(B, C, H, W)``: the last map, channels first; patch tokens as a map; None for networks without either."""
    network: Any = trunk
    x = network.forward_features(images)
    if not isinstance(x, Tensor):
        return None
    if x.ndim == 4:
        return x.permute(0, 3, 1, 2) if getattr(trunk, "output_fmt", "NCHW") == "NHWC" else x
    grid = getattr(_embedding(trunk), "grid_size", None)
    tokens = getattr(trunk, "num_prefix_tokens", 0)
    if x.ndim != 3 or grid is None or x.shape[1] - tokens != grid[0] * grid[1]:
        return None
    return x[:, tokens:].transpose(1, 2).reshape(len(x), -1, *grid)


def default_width(name: str) -> int | None:
    """The embedding of a vision transformer, in steps of its number of heads; None for the families without a width."""
    probe = _probe(name)
    return int(probe.embed_dim) if _is_vit(probe) else None


def _create(name: str, **arguments: Any) -> Any:
    import timm

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return timm.create_model(name, pretrained=False, num_classes=0, **arguments)
    except (TypeError, AssertionError, ValueError, RuntimeError) as error:
        asked = ", ".join(f"{k} = {v}" for k, v in arguments.items() if k != "in_chans")
        raise UsageError(
            f"{name}: cannot be made with {asked or 'these options'}: {' '.join(str(error).split())}"
        ) from error


def _probe(name: str) -> Any:
    """The network with its ordinary settings and without memory: to see of which family it is."""
    try:
        with torch.device("meta"):
            return _create(name)
    except (NotImplementedError, UsageError):
        # Right to catch: some constructors read values, which meta tensors do not have (NotImplementedError, or
        # the UsageError that _create makes of it); with memory it is only slower, and a real fault comes again.
        with torch.random.fork_rng(devices=[]):
            return _create(name)


def _arguments(name: str, probe: Any, in_size: int, width: int | None) -> dict[str, Any]:
    """What ``create_model`` must be told about size and width."""
    arguments: dict[str, Any] = {}
    if _needs_size(probe):
        arguments["img_size"] = in_size
        if in_size < SMALL:
            arguments["patch_size"] = _small_patch(probe, in_size)
        else:
            _check_multiple(name, probe, in_size)
    if width is not None:
        arguments |= _width(name, probe, width)
    return arguments


def _needs_size(probe: Any) -> bool:
    return bool(probe.pretrained_cfg.get("fixed_input_size")) and _embedding(probe) is not None


def _embedding(probe: Any) -> Any:
    """The module that cuts pictures into patches: ``patch_embed``, an MLP-Mixer's ``stem``; None without one."""
    parts = (getattr(probe, name, None) for name in ("patch_embed", "stem"))
    return next((p for p in parts if hasattr(p, "patch_size")), None)


def _patch(probe: Any) -> int:
    size = _embedding(probe).patch_size
    return int(size[0] if isinstance(size, tuple) else size)


def _small_patch(probe: Any, in_size: int) -> int:
    """A patch with which the last map has about an eighth of the picture's size, also where stages follow (Swin)."""
    info = getattr(probe, "feature_info", None)
    last = info[-1]["reduction"] if isinstance(info, list) and info else _patch(probe)
    return patch_size(in_size, _patch(probe) * in_size / (TOTAL_STRIDE * last))


def _check_multiple(name: str, probe: Any, in_size: int) -> None:
    patch = _patch(probe)
    if in_size % patch:
        near = (in_size // patch * patch, (in_size // patch + 1) * patch)
        raise UsageError(
            f"{name}: in_size = {in_size} is no multiple of its patch of {patch} px; use {near[0]} or {near[1]}"
        )


def _is_vit(probe: Any) -> bool:
    return type(probe).__name__ == "VisionTransformer"


def _width(name: str, probe: Any, width: int) -> dict[str, Any]:
    if not _is_vit(probe):
        raise UsageError(
            f"{name}: has no width; ours, torchvision's ResNets, VGG, AlexNet and timm's vision transformers have one"
        )
    heads = probe.blocks[0].attn.num_heads
    if width % heads:
        near = (width // heads * heads, (width // heads + 1) * heads)
        raise UsageError(f"{name}: width = {width} does not divide among its {heads} heads; use {near[0]} or {near[1]}")
    return {"embed_dim": width}


def _head(config: dict[str, Any]) -> str:
    head = config.get("classifier") or "head"
    return str(head[0] if isinstance(head, (tuple, list)) else head)


def _stages(trunk: Any) -> StageNames:
    """timm's own grouping where the family has one."""
    from timm.models import group_parameters

    try:
        groups: dict[int, list[str]] = group_parameters(trunk, trunk.group_matcher(coarse=True))
    except (AttributeError, TypeError, AssertionError):
        shape = trunk.pretrained_cfg["input_size"]
        return by_resolution(trunk, partial(meta_forward, trunk, nn.Module.__call__, (1, *shape)))
    return complete(trunk, [groups[k] for k in sorted(groups)])


def _for_size(trunk: Any, in_size: int, arguments: dict[str, Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Change the network for pictures below 64 px; returns notes and the tensors whose published values are lost."""
    if in_size >= SMALL:
        return (), frozenset()
    if "patch_size" in arguments:
        return (f"patch of {arguments['patch_size']} px",), frozenset()
    if type(trunk).__name__ == "ResNet" and isinstance(trunk.conv1, nn.Conv2d):
        trunk.conv1 = new_conv(trunk.conv1, kernel_size=3, stride=1, padding=1)
        trunk.maxpool = nn.Identity()
        return ("stem: 3 x 3, stride 1, no max-pool",), frozenset({"conv1.weight"})
    channels = next(m for m in trunk.modules() if isinstance(m, nn.Conv2d)).in_channels
    size = trunk.pretrained_cfg["input_size"][-1]
    shape = (1, channels, size, size)
    last = meta_forward(trunk, feature_map, shape)
    total = round(size / last.shape[2]) if isinstance(last, Tensor) else 1
    changed = fewer_reductions(trunk, partial(meta_forward, trunk, nn.Module.__call__, shape), total)
    return (f"reductions taken out: {', '.join(changed)}",), frozenset()
