"""create_backbone: a network by name, with its picture size, width and initial weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from affekt.backbones.attention.looking import MEMBER
from affekt.backbones.attention.naming import AttentionSettings, as_settings, split_name
from affekt.backbones.attention.placing import put_attention
from affekt.backbones.base import Backbone, Built, shape_forward
from affekt.backbones.initial import Source, fill, read_source
from affekt.backbones.naming import Resolved, resolve
from affekt.errors import AffektError, UsageError
from affekt.randomness import stream, torch_seed

_SIZES = (32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 384)
"""Picture sizes that are tried to tell what would work where the asked one is too small."""


def create_backbone(
    name: str,
    *,
    initial: str | Path = "random",
    in_size: int = 224,
    in_channels: int = 3,
    width: float | None = None,
    seed: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    attention: str | Mapping[str, Any] | None = None,
    **options: Any,
) -> Backbone:
    """A network without classifier: ``(B, in_channels, in_size, in_size)`` normalised images -> ``(B, D)`` features.

    Args:
        name: ours (``resnet20``, ``resnet20-w32``), torchvision's, then timm's; ``timm:resnet18`` forces one;
            ``alexnet+sagan``, ``resnet18+cbam(reduction=8)``: with attention; ``fe_alexnet`` is the former.
        initial: ``"random"``; ``"imagenet"`` (published weights, downloaded once); a path to a .safetensors or .pth
            state dict, with or without classifier, or to a model folder of ours, of which the backbone is taken.
        in_size: side of the pictures in pixels; below 64 the network is changed (``small_pictures.py``, ``.notes``).
        in_channels: 3 for RGB.
        width: channels of the first stage (ours: 16, torchvision's ResNets, VGG and AlexNet: 64), or the embedding of
            timm's vision transformers; a whole number, but for ours, where each stage is rounded for itself.
        seed: random weights are a pure function of it; None: torch's global generator.
        mean, std: one number a channel: the normalisation, where the initial weights expect another than published
            ones do (``initial = <path>``).
        attention: ``"sagan"``, ``"pointwise"`` (its control), ``"non-local"``, ``"se"``, ``"cbam"``, or a mapping with
            ``kind`` and any of ``at`` (the module behind which it stands; by default the last map), ``reduction``,
            ``heads``, ``blocks``. Zero at the start: the network gives what it gives without.
        options: for the zoo's constructor: ``drop_path_rate=0.1`` (timm), ``dropout=0.2`` (torchvision's VGG).

    Raises:
        UsageError: an unknown name or option, a size the network cannot read, a path that does not exist.
        CheckpointError: a weights file that is damaged, hostile, or another network's.
        AffektError: published weights that cannot be had.
    """
    _check_numbers(in_size=in_size, in_channels=in_channels)
    _check_options(name, options)
    name, settings = _attended(name, attention)
    resolved = resolve(name)
    width = _checked_width(resolved, width)
    seeded: AbstractContextManager[None] = nullcontext() if seed is None else torch_seed("backbone", seed)
    with seeded:
        built = _built(resolved, in_size=in_size, in_channels=in_channels, width=width, options=options)
    features, has_map = _shapes(name, built, in_size, in_channels)
    if settings is not None:
        with _aside() if seed is None else torch_seed("attention", seed):
            stages = put_attention(built, settings, name=name, shape=(2, in_channels, in_size, in_size))
        built, name = replace(built, stages=stages), settings.named(name)
    backbone = Backbone(
        built, name=name, in_size=in_size, in_channels=in_channels, num_features=features, has_map=has_map
    )
    if str(initial) != "random":
        _initialise(backbone, built, resolved, initial)
    if mean is not None or std is not None:
        backbone.mean, backbone.std = _normalisation(name, in_channels, mean or backbone.mean, std or backbone.std)
    return backbone


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    """
    Raises:
        UsageError: what torchvision and timm call initial weights.
    """
    for key in ("weights", "pretrained"):
        if key in options:
            raise UsageError(
                f"{name}: {key} = {options[key]!r}: initial weights are asked by initial = "
                '"imagenet", "random" or a path'
            )


def _attended(name: str, attention: str | Mapping[str, Any] | None) -> tuple[str, AttentionSettings | None]:
    """The network's name and its attention, which stands in the name or beside it.

    Raises:
        UsageError: in both; an attention or setting that there is not.
    """
    base, settings = split_name(name)
    if attention is None:
        return base, settings
    if settings is not None:
        raise UsageError(f"{name}: has an attention in its name; leave attention = {attention!r} out")
    given: dict[str, Any] = {"kind": attention} if isinstance(attention, str) else {}
    given |= attention if isinstance(attention, Mapping) else {}
    if "kind" not in given:
        raise UsageError(
            f'attention = {attention!r}: write its kind, "sagan", or as in {{"kind": "sagan", "reduction": 8}}'
        )
    return base, as_settings(str(given.pop("kind")), given)


@contextmanager
def _aside() -> Iterator[None]:
    """A block whose draws depend on torch's global generator and do not advance it: whatever is made after a network
    with attention, a head say, is the same as after the network without."""
    with torch.random.fork_rng(devices=[]):
        drawn = int(torch.randint(2**62, (), device="cpu"))
        torch.default_generator.manual_seed(stream("attention", drawn))
        yield


def default_width(name: str) -> int | None:
    """The ordinary ``width`` of a network; None where the family has none (``width`` is then refused).

    Raises:
        UsageError: an unknown name.
    """
    resolved = resolve(name)
    found: int | None = resolved.module.default_width(resolved.name)
    return found


def _checked_width(resolved: Resolved, width: float | None) -> float | None:
    """The width as the family takes it: whole numbers as such.

    Raises:
        UsageError: a fraction where the family takes whole numbers, or a number below 1.
    """
    if width is None:
        return None
    if isinstance(width, bool) or not isinstance(width, (int, float)) or not width >= 1:
        raise UsageError(f"width = {width!r}: a number of at least 1 is wanted")
    if float(width).is_integer():
        return int(width)
    if resolved.zoo != "affekt":
        raise UsageError(f"width = {width!r}: a whole number is wanted for {resolved.full}")
    return width


def _check_numbers(*, in_size: int, in_channels: int) -> None:
    for name, value, low in (("in_size", in_size, 8), ("in_channels", in_channels, 1)):
        if not isinstance(value, int) or value < low:
            raise UsageError(f"{name} = {value!r}: a whole number of at least {low} is wanted")


def _built(resolved: Resolved, *, in_size: int, **arguments: Any) -> Built:
    """The network of the zoo; what goes wrong inside it while it is changed for its picture size becomes one line."""
    try:
        built: Built = resolved.module.build(resolved.name, in_size=in_size, **arguments)
    except (RuntimeError, ValueError, AssertionError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{resolved.full}: cannot be changed for pictures of {in_size} px; choose another network or size"
            f"{_because(error)}"
        ) from error
    return built


def _because(error: Exception) -> str:
    reason = " ".join(str(error).split())[:160]
    return f" ({reason})" if reason else ""


def _shapes(name: str, built: Built, in_size: int, in_channels: int) -> tuple[int, bool]:
    """D, and whether there is a feature map; runs the network on shapes alone.

    Raises:
        UsageError: pictures too small for the network; the smallest usual size that works is named.
    """
    try:
        features = shape_forward(built.trunk, nn.Module.__call__, (2, in_channels, in_size, in_size))
    except (RuntimeError, ValueError, AssertionError) as error:
        works = next((s for s in _SIZES if s > in_size and _runs(built.trunk, in_channels, s)), None)
        hint = f"in_size = {works} works" if works else "choose another network or size"
        raise UsageError(f"{name}: cannot read pictures of {in_size} px; {hint}{_because(error)}") from error
    if not isinstance(features, Tensor) or features.ndim != 2:
        raise UsageError(f"{name}: gives no feature vector, and cannot be a backbone")
    found = shape_forward(built.trunk, built.feature_map, (2, in_channels, in_size, in_size))
    return int(features.shape[1]), isinstance(found, Tensor) and found.ndim == 4


def _runs(trunk: nn.Module, in_channels: int, size: int) -> bool:
    try:
        shape_forward(trunk, nn.Module.__call__, (2, in_channels, size, size))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return True


def _initialise(backbone: Backbone, built: Built, resolved: Resolved, initial: str | Path) -> None:
    source = _imagenet(resolved) if str(initial) == "imagenet" else read_source(Path(initial))
    notes = fill(
        built.trunk,
        source.tensors,
        name=f"{backbone.name} at {backbone.in_size} px",
        source=str(initial),
        fresh=built.fresh,
        added=MEMBER,
        grid=built.grid,
    )
    for note in notes:
        warnings.warn(f"{backbone.name}, initial = {initial}: {note}", stacklevel=4)
    backbone.notes += notes
    mean, std = source.mean or built.mean, source.std or built.std
    if len(mean) == backbone.in_channels:
        backbone.mean, backbone.std = mean, std
    else:
        backbone.mean = (sum(mean) / len(mean),) * backbone.in_channels
        backbone.std = (sum(std) / len(std),) * backbone.in_channels


def _imagenet(resolved: Resolved) -> Source:
    """Published weights.

    Raises:
        UsageError: there are none for our own networks.
        AffektError: they cannot be downloaded; the file and the way without network are named.
    """
    if resolved.zoo == "affekt":
        raise UsageError(f'{resolved.full}: has no ImageNet weights; write initial = "random" or a path')
    try:
        return Source(tensors=resolved.module.imagenet(resolved.name))
    except Exception as error:
        raise AffektError(
            f"{resolved.full}: ImageNet weights cannot be downloaded ({_one_line(error)}); fetch "
            f"{resolved.module.imagenet_file(resolved.name)} elsewhere and write initial = <path of that file>"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _normalisation(
    name: str, channels: int, mean: Sequence[float], std: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if len(mean) != channels or len(std) != channels or min(std) <= 0:
        raise UsageError(
            f"{name}: mean = {list(mean)}, std = {list(std)}: {channels} numbers each, std above 0, are wanted"
        )
    return tuple(map(float, mean)), tuple(map(float, std))
