"""Layered: the features of a network's layers, as people's answers can be held against them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from affekt.data.stimuli import Stimuli
from affekt.errors import DataError
from affekt.humans.answering import BATCH, Step
from affekt.humans.people import Features
from affekt.humans.probing.extractors import of_model
from affekt.humans.probing.settings import ProbeSettings
from affekt.training.plain import plain_batches


def layer_features(
    model: Any, stimuli: Stimuli, layers: Sequence[str], *, name: str, device: torch.device, step: Step | None = None
) -> dict[str, Features]:
    """Layer -> features of N pictures, in the order in which a network computes them, averaged over places.

    Args:
        model: one of ours: affect network, classifier, regulated model (its encoders: ``emotional/stage-1``).
        layers: words of :class:`~affekt.humans.probing.Layers`: ``last``, ``map``, ``stages``, ``stage-2``, a module.

    Raises:
        UsageError: a layer that the network has not, a model without a backbone.
        DataError: features that are not finite, a picture that does not decode.
    """
    model = model.to(device).eval()
    size = int(model.image_size)
    extract = of_model(model, layers, ProbeSettings(image_size=size), name=name).to(device)
    found: dict[str, list[NDArray[np.float32]]] = {}
    done = 0
    with torch.inference_mode():
        for images in plain_batches(stimuli, size, device=device, chunk=BATCH):
            for layer, values in extract(images).items():
                found.setdefault(layer, []).append(values.cpu().numpy())
            done += len(images)
            if step is not None:
                step(f"{name}, layers", done, len(stimuli))
    return {layer: _finite(name, layer, stimuli, np.concatenate(parts)) for layer, parts in found.items()}


def _finite(name: str, layer: str, stimuli: Stimuli, features: NDArray[np.float32]) -> Features:
    if not np.isfinite(features).all():
        raise DataError(f"{name}, {layer}: features that are NaN or infinite")
    return Features(name=f"{name}: {layer}", ids=stimuli.ids, features=features)
