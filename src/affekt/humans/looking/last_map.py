"""Last map: the module of a backbone that gives its last map, read as channels and points whatever its layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from affekt.backbones.stages import run_watched
from affekt.errors import UsageError
from affekt.humans.looking.parts import backbone_name

_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a module's output holds a map.

    Attributes:
        order: ``(B, C, H, W)``, ``(B, H, W, C)``, or ``(B, first + H W, C)`` tokens.
        height, width: H and W.
        first: tokens that stand for no point (the class token).
    """

    order: Literal["channels first", "channels last", "tokens"]
    height: int
    width: int
    first: int = 0

    def read(self, output: Tensor) -> Tensor:
        """``(B, C, H, W)``."""
        if self.order == "channels first":
            return output
        if self.order == "channels last":
            return output.permute(0, 3, 1, 2)
        return output[:, self.first :].transpose(1, 2).reshape(len(output), -1, self.height, self.width)

    def write(self, maps: Tensor, output: Tensor) -> Tensor:
        """The output with ``(B, C, H, W)`` in place of its map."""
        if self.order == "channels first":
            return maps
        if self.order == "channels last":
            return maps.permute(0, 2, 3, 1)
        return torch.cat([output[:, : self.first], maps.flatten(2).transpose(1, 2)], dim=1)


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """The module that gives the last map, by its dotted name in the backbone, and the layout of its output."""

    name: str
    module: nn.Module
    layout: Layout

    @contextmanager
    def through(self) -> Iterator[nn.Module]:
        """A module that the map passes as ``(B, C, H, W)``, unchanged, whenever the backbone runs in this block."""
        gate = nn.Identity()

        def pass_through(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            return self.layout.write(gate(self.layout.read(output)), output)

        handle = self.module.register_forward_hook(pass_through)
        try:
            yield gate
        finally:
            handle.remove()


def last_map(backbone: nn.Module, image_size: int) -> MapLayer:
    """The last module that gives a map on which the features depend, before a pool that follows it.

    Of a convolutional network that is its last stage. Of a transformer with a class token it is the norm at the start
    of its last block: behind it, points have no way to the class token any more. Found by running the backbone on
    noise, so that it does not depend on pictures.

    Raises:
        UsageError: the backbone has no feature map, or no module that gives it.
    """
    noise = torch.randn(2, 3, image_size, image_size, generator=torch.Generator().manual_seed(0))
    parameter = next(backbone.parameters(), noise)
    noise = noise.to(parameter.device, parameter.dtype)
    maps = _feature_map(backbone, noise)
    found = [one for one in _candidates(backbone, noise, maps) if one is not None]
    if not found:
        raise UsageError(f"{backbone_name(backbone)}: no module of it gives its feature map; {INSTEAD}")
    heard = _heard(backbone, noise, found)
    return next((layer for layer, yes in zip(reversed(found), reversed(heard), strict=True) if yes), found[-1])


INSTEAD = "integrated gradients and occlusion need no map"


def _feature_map(backbone: nn.Module, noise: Tensor) -> Tensor:
    look: Callable[[Tensor], Tensor | None] | None = getattr(backbone, "feature_map", None)
    with torch.no_grad():
        maps = None if look is None else look(noise)
    if maps is None:
        raise UsageError(f"{backbone_name(backbone)}: has no feature map for Grad-CAM; {INSTEAD}")
    return maps


def _candidates(backbone: Any, noise: Tensor, maps: Tensor) -> list[MapLayer]:
    """Modules that give a map with the channels of the last one, in the order in which they end."""
    seen: list[tuple[str, nn.Module, Tensor]] = []

    def noting(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen.append((name, module, output))

        return note

    run_watched(lambda: backbone.feature_map(noise), [(m, noting(n)) for n, m in backbone.named_modules() if n])
    times = Counter(name for name, _, _ in seen)
    # What a pool gave, or a container that ends in one, is left out: the map before it has more points.
    pooled = {id(output) for _, module, output in seen if isinstance(module, _POOLS)}
    found = []
    for name, module, output in seen:
        layout = _layout(output, maps)
        if layout is not None and id(output) not in pooled and times[name] == 1:
            found.append(MapLayer(name=name, module=module, layout=layout))
    return found


def _layout(output: Tensor, maps: Tensor) -> Layout | None:
    channels, height, width = maps.shape[1:]
    if output.ndim == 4 and output.shape[1] == channels:
        return Layout(order="channels first", height=int(output.shape[2]), width=int(output.shape[3]))
    if output.ndim == 4 and tuple(output.shape[1:]) == (height, width, channels):
        return Layout(order="channels last", height=height, width=width)
    if output.ndim == 3 and output.shape[2] == channels and output.shape[1] >= height * width:
        return Layout(order="tokens", height=height, width=width, first=int(output.shape[1]) - height * width)
    return None


def _heard(backbone: nn.Module, noise: Tensor, layers: list[MapLayer]) -> list[bool]:
    """Whether the features depend on each layer's map."""
    outputs: dict[str, Tensor] = {}

    def noting(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs[name] = output

        return note

    handles = [layer.module.register_forward_hook(noting(layer.name)) for layer in layers]
    try:
        features = backbone(noise.requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    # Not their sum, which a network may keep constant, as with a layer norm at its end.
    uneven = torch.cos(torch.arange(features.shape[1], device=features.device, dtype=features.dtype))
    kept = [outputs.get(layer.name) for layer in layers]
    wanted = [output for output in kept if output is not None]
    slopes = iter(torch.autograd.grad((features * uneven).sum(), wanted, allow_unused=True))
    found = [None if output is None else next(slopes) for output in kept]
    return [
        slope is not None and bool(layer.layout.read(slope).any()) for layer, slope in zip(layers, found, strict=True)
    ]
