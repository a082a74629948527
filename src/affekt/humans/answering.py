"""Answering: what a network says of pictures, and its features, as people's answers can be held against them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affekt.data.stimuli import Stimuli
from affekt.errors import DataError
from affekt.humans.people import Answers, Features
from affekt.training.plain import plain_batches

BATCH = 64
"""Pictures at a time: at 224 px they and a small network's activations take some hundred MB."""

Step = Callable[[str, int, int], None]
"""Called with (model, pictures done, pictures in all)."""


def answer(
    model: Any, stimuli: Stimuli, *, name: str, device: torch.device, step: Step | None = None
) -> tuple[Answers | None, Features | None]:
    """Answers and features of a network, each picture once and un-augmented, as ``affekt evaluate`` shows it.

    An affect network gives its category probabilities and ratings in units of its scale; a classifier and a regulated
    model their class probabilities. Features are what the heads see; a regulated model, which has two encoders, gives
    none.

    Raises:
        DataError: answers that are not finite (a network whose training blew up).
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    model = model.to(device).eval()
    done = 0
    with torch.inference_mode():
        for images in plain_batches(stimuli, int(model.image_size), device=device, chunk=BATCH):
            for key, values in _OUTPUTS[type(model).__name__](model, images).items():
                found.setdefault(key, []).append(values.double().cpu().numpy())
            done += len(images)
            if step is not None:
                step(name, done, len(stimuli))
    outputs = {key: np.concatenate(parts) for key, parts in found.items()}
    return _answers(model, stimuli, name, outputs), _features(stimuli, name, outputs)


def _answers(model: Any, stimuli: Stimuli, name: str, outputs: dict[str, NDArray[np.float64]]) -> Answers | None:
    probabilities, ratings = outputs.get("probabilities"), outputs.get("ratings")
    for what, values in (("probabilities", probabilities), ("ratings", ratings)):
        if values is not None and not np.isfinite(values).all():
            wrong = int((~np.isfinite(values)).any(axis=1).sum())
            raise DataError(f"{name}: {what} that are not finite on {wrong} of {len(values)} pictures")
    if probabilities is None and ratings is None:
        return None
    return Answers(
        name=name,
        ids=stimuli.ids,
        categories=_categories(model) if probabilities is not None else (),
        probabilities=None if probabilities is None else probabilities / probabilities.sum(axis=1, keepdims=True),
        ratings={} if ratings is None else {d: ratings[:, k] for k, d in enumerate(model.ratings)},
        scale=getattr(model, "scale", None),
    )


def _categories(model: Any) -> tuple[str, ...]:
    """Names of what it tells apart: numbers where a classifier was never told them."""
    if hasattr(model, "categories"):
        return tuple(model.categories)
    return tuple(model.classes or map(str, range(model.num_classes)))


def _features(stimuli: Stimuli, name: str, outputs: dict[str, NDArray[np.float64]]) -> Features | None:
    features = outputs.get("features")
    if features is None or not np.isfinite(features).all():
        return None
    return Features(name=name, ids=stimuli.ids, features=features)


def _of_affect_network(model: Any, images: Tensor) -> dict[str, Tensor]:
    out = model(images)
    found = {
        "features": out.features,
        "probabilities": out.category_probabilities,
        "ratings": out.rating_values,
    }
    return {name: values for name, values in found.items() if values is not None}


def _of_classifier(model: Any, images: Tensor) -> dict[str, Tensor]:
    features = model.features(images)
    return {"features": features, "probabilities": model.classify(features).double().softmax(dim=1)}


def _of_earlier(model: Any, images: Tensor) -> dict[str, Tensor]:
    return {"features": model.features(images), "probabilities": model(images).double().softmax(dim=1)}


def _of_regulated(model: Any, images: Tensor) -> dict[str, Tensor]:
    return {"probabilities": model(images).log_probabilities.double().exp()}


_OUTPUTS: dict[str, Callable[[Any, Tensor], dict[str, Tensor]]] = {
    "AffectNetwork": _of_affect_network,
    "Classifier": _of_classifier,
    "EarlierClassifier": _of_earlier,
    "EmotionalRegulation": _of_regulated,
}
"""By the name of the model's class: people know no other room of the house."""
