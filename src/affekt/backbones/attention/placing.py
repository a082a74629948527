"""Placing attention: behind which module of a network it stands, and putting it there without renaming anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from affekt.backbones.attention.base import Attention
from affekt.backbones.attention.looking import MEMBER
from affekt.backbones.attention.naming import ATTENTIONS, AttentionSettings
from affekt.backbones.base import Built, meta_forward
from affekt.backbones.modules import papers_names
from affekt.backbones.stages import StageNames, run_watched
from affekt.errors import UsageError, first, unknown

_POOLS = (
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.LPPool2d,
)


@dataclass(frozen=True)
class _Place:
    name: str
    channels: int


class Attending:
    """A forward hook that sends a module's output through attention; an object, so that it is copied and sent to other
    processes with the network."""

    def __init__(self, blocks: nn.ModuleList) -> None:
        self.blocks = blocks

    def __call__(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        for block in self.blocks:
            output = block(output)
        return output


def put_attention(
    built: Built, settings: AttentionSettings, *, name: str, shape: tuple[int, int, int, int]
) -> StageNames:
    """Put attention into a network; returns its stages with the attention as one of its own.

    Args:
        name: of the network, for messages.
        shape: of pictures that it reads.

    Raises:
        UsageError: no such place, no feature map there, or numbers that do not fit its channels.
    """
    place = _found(built, settings.at, name, shape)
    make = ATTENTIONS[settings.kind]
    blocks: list[Attention] = [
        make(place.channels, reduction=settings.reduction, heads=settings.heads) for _ in range(settings.blocks)
    ]
    held = nn.ModuleList(blocks)
    before = _last_parameter(built.trunk, place.name)
    built.trunk.add_module(MEMBER, held)
    built.trunk.get_submodule(place.name).register_forward_hook(Attending(held))
    own = tuple(f"{MEMBER}.{parameter}" for parameter, _ in held.named_parameters())
    behind = next((i for i, stage in enumerate(built.stages) if before in stage), len(built.stages) - 1)
    return (*built.stages[: behind + 1], own, *built.stages[behind + 1 :])


def _found(built: Built, at: str | None, name: str, shape: tuple[int, int, int, int]) -> _Place:
    names = [n for n, _ in built.trunk.named_modules() if n]
    papers = papers_names(built.trunk)
    if at is not None and at not in names and at not in papers:
        # Heads and what pools to one point give no map.
        within = [n for n in names if not n.startswith(("classifier", "head", "fc", "avgpool"))]
        every = f"{', '.join(papers) or first(within, n=12)}, or another module's dotted name"
        raise UsageError(f"{name}: {unknown('module for attention', at, (*papers, *within), everything=every)}")
    at = None if at is None else papers.get(at, at)
    if built.grid is not None:
        raise UsageError(
            f"{name}: works on patches in a row, as vision transformers and mixers do; attention goes behind a map, "
            "e.g. of a convolutional network or of a Swin"
        )
    seen: list[tuple[str, Tensor, bool]] = []

    def noting(module_name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen.append((module_name, output, isinstance(module, _POOLS)))

        return note

    watched = [(module, noting(n)) for n, module in built.trunk.named_modules() if n]
    function: Callable[[nn.Module, Tensor], object] = nn.Module.__call__ if at is not None else built.feature_map
    run_watched(lambda: meta_forward(built.trunk, function, shape), watched)
    if at is not None:
        outputs = [output for n, output, _ in seen if n == at]
        if not outputs or outputs[-1].ndim != 4:
            raise UsageError(f"{name}: {at} gives no feature map; attention goes behind a module that does")
        return _Place(at, int(outputs[-1].shape[1]))
    # What a pool gave, or a container that ends in one, is left out: attention stands before it.
    pooled = {id(output) for _, output, is_pool in seen if is_pool}
    maps = [(n, output) for n, output, _ in seen if output.ndim == 4 and id(output) not in pooled]
    if not maps:
        raise UsageError(f"{name}: has no feature map, so attention has no place; choose a convolutional network")
    place, output = maps[-1]
    return _Place(place, int(output.shape[1]))


def _last_parameter(trunk: nn.Module, place: str) -> str | None:
    """The last parameter up to the end of a module, in the order of the network's parts."""
    last = None
    inside = f"{place}."
    passed = False
    for module_name, module in trunk.named_modules():
        if passed and not module_name.startswith(inside):
            break
        passed = passed or module_name == place
        for name, _ in module.named_parameters(recurse=False):
            last = f"{module_name}.{name}" if module_name else name
    return last
