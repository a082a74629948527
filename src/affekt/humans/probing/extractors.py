"""Extractors: uint8 pictures in, the features of some layers out, for each kind of subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from affekt.backbones.inputs import add_normalisation, as_input
from affekt.errors import UsageError
from affekt.humans.probing.layers import Features, Layers
from affekt.humans.probing.settings import ProbeSettings


class Extractor(Protocol):
    """What a subject is opened to."""

    module: nn.Module
    """What has the weights; empty where there are none."""

    def to(self, device: torch.device) -> Self:
        """The same on a device."""

    def __call__(self, images: Tensor) -> Features:
        """Layer -> ``(B, D)`` float32 features of ``(B, 3, H, W)`` uint8 pictures."""


class OfBackbone:
    """Layers of one backbone, at its own picture size and normalisation.

    Args:
        backbone: in evaluation mode.
        image_size: side of what it sees, pixels.
        layers: words of :class:`~affekt.humans.probing.Layers`.
        settings: pooling, projection and their seed.
        like: what has the buffers ``mean`` and ``std``; None: the backbone states them.
    """

    def __init__(
        self,
        backbone: nn.Module,
        image_size: int,
        layers: Sequence[str],
        settings: ProbeSettings,
        like: nn.Module | None = None,
    ) -> None:
        self.module: nn.Module = nn.Module()
        self.module.add_module("backbone", backbone)
        add_normalisation(self.module, backbone)
        if like is not None:
            for name in ("mean", "std"):
                getattr(self.module, name).copy_(getattr(like, name))
        self._image_size = image_size
        self._layers = Layers(backbone, layers, pool=settings.pool, dimensions=settings.project, seed=settings.seed)

    def to(self, device: torch.device) -> Self:
        self.module.to(device)
        return self

    def __call__(self, images: Tensor) -> Features:
        module: Any = self.module
        return self._layers(as_input(images, self._image_size, module.mean, module.std))


class OfRegulated:
    """The last features of a regulated model's three encoders.

    Raises:
        UsageError: other layers than the last.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        if tuple(layers) != ("last",):
            raise UsageError(f"{type(model).__name__}: of a regulated model, --layers last is what can be probed")
        self.module = model

    def to(self, device: torch.device) -> Self:
        self.module.to(device)
        return self

    def __call__(self, images: Tensor) -> Features:
        model: Any = self.module
        felt = model.emotional(images)
        found = {
            "non-emotional": model.non_emotional.features(images),
            "influenced": model.influence(images, felt.features),
            "emotional": felt.features,
        }
        return {name: features.float() for name, features in found.items() if features.shape[1]}


class OfBaseline:
    """A function of the pictures themselves; its one layer is called ``last`` as a network's is."""

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        self.module: nn.Module = nn.Module()
        self._compute = compute

    def to(self, device: torch.device) -> Self:
        del device  # it works where the pictures are
        return self

    def __call__(self, images: Tensor) -> Features:
        return {"last": self._compute(images)}
