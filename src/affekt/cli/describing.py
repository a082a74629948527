"""What a model says of pictures, in words and as JSON, for every kind of model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from affekt.affect import AffectState
    from affekt.data.pictures import Pixels

Named = tuple[tuple[str, float], ...]
"""(class, probability), likeliest first."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of one picture.

    Attributes:
        classes: the likeliest of the mixture (or of the one classifier); empty for an affect network.
        branches: the likeliest class of each branch of a regulated model, by name.
        regulation: r of the likeliest class, in [0, 1]; None where there is none.
        by_class: r of each class, for a regulator that has one for each.
        affect: what the picture elicits; None for a plain classifier.
        state: e by name, standardised over the network's own answers to its training pictures: what r is computed from.
    """

    classes: Named = ()
    branches: dict[str, tuple[str, float]]
    regulation: float | None = None
    by_class: dict[str, float] | None = None
    affect: AffectState | None = None
    state: dict[str, float] | None = None

    def in_words(self) -> str:
        """``cat 83 %, dog 10 %; r 0.62 (non-emotional: dog 51 %, influenced: cat 90 %); pleasant (valence ...)``."""
        parts = [", ".join(map(_share, self.classes))]
        if self.regulation is not None:
            branches = ", ".join(f"{name.replace('_', '-')}: {_share(best)}" for name, best in self.branches.items())
            parts.append(f"r {self.regulation:.2f} ({branches})")
        if self.affect is not None:
            parts.append(self.affect.describe())
        return "; ".join(filter(None, parts))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what the model does not have is left out."""
        found: dict[str, Any] = {}
        if self.classes:
            found["class"], found["probability"] = self.classes[0]
            found["top"] = [{"class": name, "probability": p} for name, p in self.classes]
        if self.regulation is not None:
            found["r"] = self.regulation
            found["branches"] = {k: {"class": c, "probability": p} for k, (c, p) in self.branches.items()}
        if self.by_class is not None:
            found["r_by_class"] = self.by_class
        if self.affect is not None:
            found["affect"] = self.affect.to_dict() | {"words": self.affect.describe()}
        if self.state is not None:
            found["state"] = self.state
        return found


def _share(named: tuple[str, float]) -> str:
    return f"{named[0]} {100 * named[1]:.0f} %"


def describe(model: Any, pixels: Sequence[Pixels], *, top: int) -> list[Prediction]:
    """One :class:`Prediction` a picture of ``(S, S, 3)`` uint8 pixels, all of one size."""
    import numpy as np
    import torch

    images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        return DESCRIBERS[type(model).__name__](model, images, top)


def _affect(model: Any, images: Tensor, _top: int) -> list[Prediction]:
    states = model(images).state
    return [
        Prediction(affect=affect, branches={}, state=_state(model, state))
        for affect, state in zip(model.describe(images), states, strict=True)
    ]


def _state(emotional: Any, state: Tensor) -> dict[str, float]:
    return dict(zip(emotional.state_names, state.float().tolist(), strict=True))


def _classifier(model: Any, images: Tensor, top: int) -> list[Prediction]:
    probabilities = model(images).float().softmax(dim=1)
    return [Prediction(classes=_likeliest(model, row, top), branches={}) for row in probabilities]


def _regulated(model: Any, images: Tensor, top: int) -> list[Prediction]:
    out = model(images)
    affects = model.emotional.describe(images)
    return [_one_regulated(model, out, affects[index], index, top) for index in range(len(images))]


def _one_regulated(model: Any, out: Any, affect: AffectState, index: int, top: int) -> Prediction:
    probabilities = out.log_probabilities[index].float().exp()
    weights = out.regulation[index].float()
    named = dict(zip(_classes(model), weights.tolist(), strict=True)) if len(weights) > 1 else None
    branches = {"non_emotional": out.non_emotional[index], "influenced": out.influenced[index]}
    return Prediction(
        classes=_likeliest(model, probabilities, top),
        branches={name: _likeliest(model, z.float().softmax(dim=0), 1)[0] for name, z in branches.items()},
        regulation=float(weights[int(probabilities.argmax()) if named else 0]),
        by_class=named,
        affect=affect,
        state=_state(model.emotional, out.affect[index]),
    )


def _classes(model: Any) -> tuple[str, ...]:
    """The model's names of its classes; their numbers where it has none."""
    return tuple(model.classes or map(str, range(model.num_classes)))


def _likeliest(model: Any, probabilities: Tensor, top: int) -> Named:
    names = _classes(model)
    best = probabilities.topk(min(top, len(names)))
    return tuple((names[i], p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True))


DESCRIBERS: dict[str, Callable[[Any, Tensor, int], list[Prediction]]] = {
    "AffectNetwork": _affect,
    "Classifier": _classifier,
    "EarlierClassifier": _classifier,
    "EmotionalRegulation": _regulated,
}
"""By the name of the model's class, so that nothing is imported for models that are not there."""
