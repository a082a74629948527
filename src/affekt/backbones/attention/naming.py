"""Attention in a backbone's name: ``alexnet+sagan``, ``resnet18+cbam(reduction=8,blocks=2)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affekt.backbones.attention.base import Attention
from affekt.backbones.attention.cbam import CbamAttention
from affekt.backbones.attention.non_local import NonLocalAttention
from affekt.backbones.attention.pointwise import PointwiseAttention
from affekt.backbones.attention.sagan import SaganAttention
from affekt.backbones.attention.squeeze_excite import SqueezeExciteAttention
from affekt.errors import UsageError, unknown

ATTENTIONS: Mapping[str, type[Attention]] = {
    "sagan": SaganAttention,
    "pointwise": PointwiseAttention,
    "non-local": NonLocalAttention,
    "se": SqueezeExciteAttention,
    "cbam": CbamAttention,
}

ALIASES: Mapping[str, str] = {"fe_alexnet": "alexnet+sagan"}
"""Names of published networks that are a backbone with attention; in any case, with ``-`` or ``_``."""

KINDS: Mapping[str, str] = {
    "squeeze-excite": "se",
    "squeeze-excitation": "se",
    "squeeze-and-excitation": "se",
    "self-attention": "sagan",
    "nonlocal": "non-local",
}
"""Further names of kinds of attention; in any case, with ``-`` or ``_``."""

SETTINGS = ("at", "reduction", "heads", "blocks")
_NAME = re.compile(r"(?P<base>[^+]+)\+(?P<kind>[\w-]+)(?:\((?P<settings>[^()]*)\))?")


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """Which attention stands where.

    Attributes:
        kind: a name of :data:`ATTENTIONS`.
        at: dotted name, in the network, of the module behind which it stands, or its name in the paper (``conv3`` of
            AlexNet, ``conv3_2`` of VGG); None: behind the last map, before a pool that follows it.
        reduction: None: that of the variant's paper.
        heads: of the variants that have heads.
        blocks: so many in a row.
    """

    kind: str
    at: str | None = None
    reduction: int | None = None
    heads: int = 1
    blocks: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ATTENTIONS:
            raise UsageError(unknown("attention", self.kind, ATTENTIONS))
        if isinstance(self.blocks, bool) or not isinstance(self.blocks, int) or self.blocks < 1:
            raise UsageError(f"attention: blocks = {self.blocks!r}: a whole number of at least 1 is wanted")

    def named(self, base: str) -> str:
        """The backbone's name with this attention; what is as by default is left out."""
        said = [
            f"{name}={getattr(self, name)}" for name in SETTINGS if getattr(self, name) != getattr(type(self), name)
        ]
        return f"{base}+{self.kind}" + (f"({','.join(said)})" if said else "")


def split_name(name: str) -> tuple[str, AttentionSettings | None]:
    """A backbone's name without its attention, and that.

    Raises:
        UsageError: an attention or setting that there is not.
    """
    name = ALIASES.get(name.lower().replace("-", "_"), name)
    if "+" not in name:
        return name, None
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(f'backbone "{name}": write NETWORK+ATTENTION or NETWORK+ATTENTION(reduction=8,blocks=2)')
    return found["base"], as_settings(found["kind"], _read(name, found["settings"] or ""))


def as_settings(kind: str, given: Mapping[str, Any]) -> AttentionSettings:
    """Raises:
    UsageError: an attention or setting that there is not.
    """
    for key in given:
        if key not in SETTINGS:
            raise UsageError(unknown("setting of attention", key, SETTINGS))
    plain = kind.lower().replace("_", "-")
    plain = KINDS.get(plain, plain)
    return AttentionSettings(kind=plain if plain in ATTENTIONS else kind, **given)


def _read(name: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or (key != "at" and not value.isdecimal()):
            raise UsageError(f'backbone "{name}": "{part}": write at=MODULE, or reduction, heads, blocks = a number')
        found[key] = value if key == "at" else int(value)
    return found
