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
    """Layers of a regulated model's three encoders: ``emotional`` is the last of one, ``emotional/stage-1`` another.

    Of the influenced encoder there are the last features alone, since an influence may change it midway. A module that
    only one of the others has is that one's.

    Args:
        model: in evaluation mode.
        layers, settings: see :class:`OfBackbone`.

    Raises:
        UsageError: a layer that neither the non-emotional nor the emotional encoder has.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], settings: ProbeSettings) -> None:
        self.module = model
        self._last = not {"last", "stages"}.isdisjoint(layers)
        further = [word for word in layers if word != "last"]
        self._parts = _parts(model, further, settings) if further else {}

    def to(self, device: torch.device) -> Self:
        self.module.to(device)
        for part in self._parts.values():
            part.to(device)
        return self

    def __call__(self, images: Tensor) -> Features:
        found = {
            f"{name}/{layer}": features
            for name, part in self._parts.items()
            for layer, features in part(images).items()
            if layer != "last"
        }
        return found | (self._ends(images) if self._last else {})

    def _ends(self, images: Tensor) -> Features:
        model: Any = self.module
        felt = model.emotional(images)
        found = {
            "non-emotional": model.non_emotional.features(images),
            "influenced": model.influence(images, felt.features),
            "emotional": felt.features,
        }
        return {name: features.float() for name, features in found.items() if features.shape[1]}


def _parts(model: Any, layers: Sequence[str], settings: ProbeSettings) -> dict[str, OfBackbone]:
    """The encoders that have any of the layers.

    Raises:
        UsageError: a layer that none has.
    """
    encoders = {"non-emotional": model.non_emotional, "emotional": model.emotional}
    own = {name: [word for word in layers if _has(encoder, word)] for name, encoder in encoders.items()}
    for word in layers:
        if not any(word in words for words in own.values()):
            Layers(model.non_emotional.backbone, [word])  # raises, and says what there is
    return {
        name: OfBackbone(encoder.backbone, int(encoder.image_size), own[name], settings, like=encoder)
        for name, encoder in encoders.items()
        if own[name]
    }


def _has(encoder: Any, layer: str) -> bool:
    try:
        Layers(encoder.backbone, [layer])
    except UsageError:
        return False
    return True


def check_backbone(name: str, model: nn.Module) -> None:
    """Refuse a model without layers that could be had.

    Raises:
        UsageError: it has no backbone.
    """
    if not (hasattr(model, "backbone") or hasattr(model, "non_emotional")):
        raise UsageError(f"{name}: a {type(model).__name__}, which has no backbone; give an affect network, a "
                         "classifier or a regulated model")  # fmt: skip


def of_model(model: nn.Module, layers: Sequence[str], settings: ProbeSettings, *, name: str) -> Extractor:
    """A saved model of ours, opened.

    Args:
        model: in evaluation mode: an affect network, a classifier, a regulated model.
        name: for messages.

    Raises:
        UsageError: a model without a backbone, a layer that it has not.
    """
    check_backbone(name, model)
    if hasattr(model, "non_emotional"):
        return OfRegulated(model, layers, settings)
    whole: Any = model
    return OfBackbone(whole.backbone, int(whole.image_size), layers, settings, like=model)


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
