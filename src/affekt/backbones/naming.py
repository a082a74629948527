"""Which network a name means: ours, then torchvision's, then timm's; ``timm:resnet18`` forces one."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import ModuleType

from affekt.backbones import ours
from affekt.backbones.attention.naming import ALIASES, ATTENTIONS, split_name
from affekt.errors import UsageError, unknown

ZOOS = ("affekt", "torchvision", "timm")


@dataclass(frozen=True)
class Resolved:
    """A zoo's module and the name in it; ``full`` is the name as it was asked for."""

    zoo: str
    name: str
    full: str

    @property
    def module(self) -> ModuleType:
        return _module(self.zoo)


def resolve(name: str) -> Resolved:
    """The zoo that a name means, attention in it left aside; timm is imported only where neither of the others has it.

    Raises:
        UsageError: nobody has that name; the nearest ones are named.
    """
    name = split_name(name)[0]
    zoo, _, inner = name.partition(":")
    if zoo in ZOOS:
        if _has(zoo, inner):
            return Resolved(zoo, inner, name)
        raise UsageError(unknown(f"backbone of {zoo}", inner, _module(zoo).names(), everything=_everything(zoo)))
    for zoo in ZOOS:
        if _has(zoo, name):
            return Resolved(zoo, name, name)
    hint = _with_attention(name)
    if hint:
        raise UsageError(f'backbone "{name}": unknown. Attention is written behind a "+": {hint}')
    known = [*ALIASES, *(n for z in ZOOS for n in _module(z).names())]
    raise UsageError(unknown("backbone", name, known, everything="affekt.list_backbones()"))


def list_backbones(pattern: str = "*") -> list[str]:
    """Every name that ``create_backbone`` understands and that matches ``pattern`` (``"vgg*"``), sorted.

    A name that two zoos have stands for the first of ours, torchvision's, timm's; the other is listed as ``timm:name``.
    """
    found: list[str] = [*ALIASES]
    for zoo in ZOOS:
        for name in _module(zoo).names():
            taken = name in found
            found.append(f"{zoo}:{name}" if taken else name)
    return sorted(n for n in found if fnmatchcase(n, pattern) or fnmatchcase(n.partition(":")[2] or n, pattern))


def match(pattern: str) -> list[str]:
    """The networks that a pattern means, each once, sorted: ``"vgg*"`` those that the plain names stand for,
    ``"timm:vgg*"`` all of timm's, with the zoo in front."""
    zoo, _, inner = pattern.partition(":")
    if zoo in ZOOS and inner:
        return sorted(f"{zoo}:{name}" for name in _module(zoo).names() if fnmatchcase(name, inner))
    return [name for name in list_backbones(pattern) if ":" not in name]


def _has(zoo: str, name: str) -> bool:
    if zoo == "affekt":
        return ours.knows(name)
    if zoo == "torchvision":
        return name in _module(zoo).names()
    return bool(_module(zoo).knows(name))


def _module(zoo: str) -> ModuleType:
    """The zoo's file; importing it imports neither torchvision nor timm."""
    if zoo == "affekt":
        return ours
    if zoo == "torchvision":
        from affekt.backbones import torchvision_zoo

        return torchvision_zoo
    from affekt.backbones import timm_zoo

    return timm_zoo


def _with_attention(name: str) -> str | None:
    """What ``fe_vgg11`` or ``alexnet-sagan`` is to be written as; None: no network and attention of ours are in it."""
    plain = name.lower().replace("-", "_")
    for kind in ATTENTIONS:
        ending = f"_{kind.replace('-', '_')}"
        base = plain.removeprefix("fe_") if kind == "sagan" and plain.startswith("fe_") else plain.removesuffix(ending)
        if base != plain and any(_has(zoo, base) for zoo in ZOOS):
            return f"{base}+{kind}"
    return None


def _everything(zoo: str) -> str:
    return 'affekt.list_backbones("resnet*")' if zoo == "affekt" else f"{zoo}'s models, affekt.list_backbones()"
