"""Ours: the networks that are written in this package, with the face that the zoos have.

Each family is a file with ``WIDTH``, ``HEAD``, ``STAGES``, ``names()``, ``parse(name)`` -> (kind, width) or None, and
``create(kind, width, in_channels)``; its networks have a ``forward_features``, and are the same at every picture size.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from torch import Tensor, nn

from affekt.backbones import cifar_resnet, resnet9
from affekt.backbones.base import Built
from affekt.errors import UsageError

FAMILIES: tuple[ModuleType, ...] = (cifar_resnet, resnet9)


def knows(name: str) -> bool:
    """Whether a name is one of ours, a width in it included."""
    return any(family.parse(name) is not None for family in FAMILIES)


def names() -> list[str]:
    """Every name, without widths."""
    return [name for family in FAMILIES for name in family.names()]


def default_width(name: str) -> int:
    """The ordinary width of a network: the family's, or what the name says."""
    return _of(name)[2]


def head_name(name: str) -> str:
    """Where other implementations of a network keep their classifier."""
    return str(_of(name)[0].HEAD)


def build(name: str, *, in_size: int, in_channels: int, width: float | None, options: dict[str, Any]) -> Built:
    """One of ours by name.

    Raises:
        UsageError: an option, which these networks do not have.
    """
    del in_size
    family, kind, own = _of(name)
    if options:
        raise UsageError(f"{name}: no option {', '.join(sorted(options))}; it has width (default {family.WIDTH})")
    trunk: nn.Module = family.create(kind, width or own, in_channels)
    parameters = [n for n, _ in trunk.named_parameters()]
    return Built(
        trunk=trunk,
        feature_map=feature_map,
        head=family.HEAD,
        stages=tuple(tuple(n for n in parameters if n.split(".")[0] in parts) for parts in family.STAGES),
        mean=(0.5,) * in_channels,
        std=(0.25,) * in_channels,
    )


def feature_map(trunk: Any, images: Tensor) -> Tensor:
    """The map before it is pooled; a named function, so that a backbone can be copied and sent to another process."""
    found: Tensor = trunk.forward_features(images)
    return found


def _of(name: str) -> tuple[ModuleType, Any, int]:
    """The family of a name, the kind of network in it, and the width."""
    return next((family, *said) for family in FAMILIES if (said := family.parse(name)) is not None)
