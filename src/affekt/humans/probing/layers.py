"""Layers: numbers out of a backbone at its end, at its last map, or at the end of every stage, in one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from affekt.backbones import Backbone
from affekt.backbones.modules import papers_names
from affekt.errors import UsageError, unknown
from affekt.humans.probing.projecting import Projection

Word = Literal["last", "map", "stages"]
WORDS: tuple[Word, ...] = ("last", "map", "stages")
STAGE = re.compile(r"stage-[1-9]\d*")
"""What one stage is called."""

Pool = Literal["mean", "flat"]
Features = dict[str, Tensor]
"""Layer -> ``(B, D)`` float32."""


class Layers:
    """A backbone as a function from normalised images to the features of its layers.

    ``last`` is what the backbone returns; ``map`` its last feature map (of VGG and AlexNet that lies before the linear
    layers); ``stage-1`` ... what each further stage of it is given, and ``last`` as the end of the last stage.

    Args:
        backbone: in evaluation mode.
        words: which layers, e.g. ``["stages"]``, ``["stage-2", "last"]``, ``["features.3"]``.
        pool: ``"mean"``: the mean over places (points of a map, tokens); ``"flat"``: every number.
        dimensions: length beyond which features are projected at random; 0: never.
        seed: of the projections.

    Raises:
        UsageError: an unknown word, a map of a backbone without one, a stage that it has not, stages of one that does
            not say which it has.
    """

    def __init__(
        self, backbone: Any, words: Sequence[str], *, pool: Pool = "mean", dimensions: int = 0, seed: int = 0
    ) -> None:
        self.backbone = backbone
        self._words = frozenset(words)
        self._pool, self._dimensions, self._seed = pool, dimensions, seed
        self._projections: dict[int, Projection] = {}
        by_number = {word for word in words if STAGE.fullmatch(word)}
        self._ends = _ends(backbone, None if "stages" in words else by_number) if by_number or "stages" in words else {}
        self._modules = {word: _module(backbone, word) for word in words if word not in by_number.union(WORDS)}
        if "map" in words:
            _check_map(backbone)

    def __call__(self, images: Tensor) -> Features:
        """Layer -> ``(B, D)`` float32 features of ``(B, 3, S, S)`` normalised images; ``last`` comes last."""
        found: Features = {}
        if "map" in self._words:
            found["map"] = self._reduced(self.backbone.feature_map(images))
        if self._words - {"map"}:
            handles = [end.register_forward_pre_hook(self._given(name, found)) for name, end in self._ends.items()]
            handles += [m.register_forward_hook(self._gives(name, found)) for name, m in self._modules.items()]
            try:
                last = self._reduced(self.backbone(images))
            finally:
                for handle in handles:
                    handle.remove()
            found |= {"last": last} if self._words & {"last", "stages"} else {}
        return found

    def _given(self, name: str, found: Features) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
            # A stage whose module runs more than once is noted as it begins.
            if name not in found:
                found[name] = self._reduced(inputs[0])

        return note

    def _gives(self, name: str, found: Features) -> Callable[[nn.Module, Any, Any], None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise UsageError(f"layer {name}: gives {type(output).__name__} and no tensor; name a module within it")
            # A copy: what comes behind it may work in place.
            found[name] = self._reduced(output.clone())

        return note

    def _reduced(self, x: Tensor) -> Tensor:
        x = x.detach()
        features = averaged(x) if self._pool == "mean" else x.flatten(1)
        length = features.shape[1]
        if self._dimensions and length > self._dimensions:
            if length not in self._projections:
                self._projections[length] = Projection(length, self._dimensions, seed=self._seed)
            features = self._projections[length](features)
        return features.float()


def averaged(x: Tensor) -> Tensor:
    """``(B, C)``: the mean over the points of a map (channels first or last) or over tokens."""
    if x.ndim == 4:
        # Pictures are squares, so that the two sides that are equal are the map's.
        channels_last = x.shape[1] == x.shape[2] != x.shape[3]
        return x.mean((1, 2)) if channels_last else x.mean((2, 3))
    return x.mean(1) if x.ndim == 3 else x.flatten(1)


def _ends(backbone: Any, asked: set[str] | None) -> dict[str, nn.Module]:
    """Stage -> the module that is given what it gives.

    Args:
        asked: stages by name; None: all.

    Raises:
        UsageError: a stage that there is not, or see :func:`_beginnings`.
    """
    every = {f"stage-{i}": module for i, module in enumerate(_beginnings(backbone)[1:], 1)}
    for name in sorted(asked or ()):
        if name not in every:
            raise UsageError(f"{backbone.name}: {unknown('layer', name, (*every, 'last'))}")
    return {name: module for name, module in every.items() if asked is None or name in asked}


def _module(backbone: Any, name: str) -> nn.Module:
    """
    Raises:
        UsageError: the network has no module of that name.
    """
    trunk = backbone.trunk if isinstance(backbone, Backbone) else backbone
    modules: dict[str, nn.Module] = {n: module for n, module in trunk.named_modules() if n}
    papers = papers_names(trunk)
    found = papers.get(name, name)
    if found not in modules:
        named = getattr(backbone, "name", type(backbone).__name__)
        every = f"{', '.join(WORDS)}, stage-1 ..., or a module's dotted name"
        raise UsageError(f"{named}: {unknown('layer', name, (*WORDS, *papers, *modules), everything=every)}")
    return modules[found]


def _check_map(backbone: Any) -> None:
    image = _blank(backbone)
    with torch.inference_mode():
        has = isinstance(backbone, Backbone) and backbone.feature_map(image) is not None
    if not has:
        name = getattr(backbone, "name", type(backbone).__name__)
        raise UsageError(f"{name}: has no feature map; ask for its other layers: --layers last, or stages")


def _beginnings(backbone: Any) -> list[nn.Module]:
    """The first module of each stage to run, in the order in which stages run.

    Raises:
        UsageError: a module of somebody's own that does not say its stages.
    """
    if not isinstance(backbone, Backbone):
        raise UsageError(f"{type(backbone).__name__}: does not say which stages it has; write --layers last")
    stage_of = {id(p): number for number, stage in enumerate(backbone.stages()) for p in stage.parameters()}
    first: dict[int, nn.Module] = {}

    def noting(number: int) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            if inputs and isinstance(inputs[0], Tensor):
                first.setdefault(number, module)

        return note

    handles = []
    for module in backbone.trunk.modules():
        numbers = {stage_of[id(p)] for p in module.parameters()}
        if len(numbers) == 1:
            handles.append(module.register_forward_pre_hook(noting(numbers.pop())))
    try:
        with torch.inference_mode():
            backbone(_blank(backbone))
    finally:
        for handle in handles:
            handle.remove()
    return list(first.values())


def _blank(backbone: Any) -> Tensor:
    """One grey image."""
    device = next(backbone.parameters()).device
    return torch.zeros(1, 3, backbone.in_size, backbone.in_size, device=device)
