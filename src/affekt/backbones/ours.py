"""Ours: the networks that are written in this package, each family a file, with the face that the zoos have."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from affekt.backbones import cifar_resnet, resnet9
from affekt.backbones.base import Built

FAMILIES: tuple[ModuleType, ...] = (cifar_resnet, resnet9)


def knows(name: str) -> bool:
    """Whether a name is one of ours, a width in it included."""
    return any(family.parse(name) is not None for family in FAMILIES)


def names() -> list[str]:
    """Every name, without widths."""
    return [name for family in FAMILIES for name in family.names()]


def default_width(name: str) -> int:
    """The ordinary width of a network."""
    return int(_family(name).default_width(name))


def head_name(name: str) -> str:
    """Where other implementations of a network keep their classifier."""
    return str(_family(name).head_name(name))


def build(name: str, **arguments: Any) -> Built:
    """One of ours by name; see the family.

    Raises:
        UsageError: an option that the family does not have.
    """
    built: Built = _family(name).build(name, **arguments)
    return built


def _family(name: str) -> ModuleType:
    return next(family for family in FAMILIES if family.parse(name) is not None)
