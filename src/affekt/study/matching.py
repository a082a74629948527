"""Matching: the width and the number of epochs with which one network costs what another condition costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from affekt.backbones.creating import default_width
from affekt.backbones.naming import resolve
from affekt.errors import UsageError
from affekt.recipe import Recipe
from affekt.regulation import Classifier

TOLERANCE = 0.02
"""Share by which parameters may differ and still be called the same."""

WIDEST = 64.0
"""Times the ordinary width, at most."""


class DoesNotApply(UsageError):  # noqa: N818 - reads as what it is
    """A condition that this recipe cannot have; the message is the reason."""


def matched_width(recipe: Recipe, classes: int, parameters: int) -> float:
    """The width with which ``[model]`` as one classifier has this number of parameters, within 2 %.

    Raises:
        DoesNotApply: the backbone has no width, its weights are given, or no width comes so close.
    """
    model = recipe.model
    ordinary = default_width(model.backbone)
    if ordinary is None:
        raise DoesNotApply(
            f"{model.backbone} has no width; ours, torchvision's ResNets, VGG, AlexNet and timm's ViTs have one"
        )
    if model.initial != "random":
        raise DoesNotApply(f'[model] initial = "{model.initial}" has one width; a wider network has other weights')
    size = model.image_size or recipe.target.image_size

    def count(width: float) -> int:
        return classifier_parameters(model.backbone, classes, size, width)

    step = _step(model.backbone, float(model.width or ordinary), count)
    below, above = _around(parameters, step, count, most=WIDEST * ordinary)
    best = min((below, above), key=lambda width: abs(count(width) - parameters))
    off = count(best) / parameters - 1
    if abs(off) > TOLERANCE:
        raise DoesNotApply(
            f"no width of {model.backbone} comes within {TOLERANCE:.0%} of {parameters:,} parameters; nearest "
            f"{best:g} ({off:+.1%})"
        )
    return best


def classifier_parameters(backbone: str, classes: int, image_size: int, width: float | None) -> int:
    """Parameters of one classifier, without making its weights."""
    with torch.device("meta"):
        made = Classifier(backbone, classes, image_size, width=width)
    return sum(p.numel() for p in made.parameters())


def matched_epochs(epochs: int, mine: float, wanted: float) -> int:
    """Epochs with which a training that costs ``mine`` in ``epochs`` costs ``wanted``; 1 or more."""
    return max(1, round(epochs * wanted / mine))


def longer_off(training: Mapping[str, float], method: str) -> str:
    """How far ``longer`` is from the method, where whole epochs leave more than the tolerance; else nothing.

    Args:
        training: condition -> FLOPs of training.
    """
    mine, wanted = training.get("longer"), training.get(method)
    off = mine / wanted - 1 if mine and wanted else 0.0
    if abs(off) <= TOLERANCE:
        return ""
    return (
        f"longer has {abs(off):.1%} {'more' if off > 0 else 'fewer'} training FLOPs than {method}: it has whole epochs"
    )


def _step(backbone: str, ordinary: float, count: Callable[[float], int]) -> float:
    """How finely the width of a family can be set: ours by quarters, others by whole numbers or heads."""
    if resolve(backbone).zoo == "affekt":
        return 0.25
    for step in range(1, 129):
        try:
            count(ordinary + step)
        except UsageError:
            continue
        return float(step)
    raise DoesNotApply(f"{backbone}: no width near {ordinary:g} works")


def _around(wanted: int, step: float, count: Callable[[float], int], most: float) -> tuple[float, float]:
    """Neighbouring widths, multiples of ``step``, with at most and at least the wanted number of parameters."""
    low = high = max(1, round(1 / step))
    while count(high * step) < wanted:
        low, high = high, 2 * high
        if high * step > most:
            raise DoesNotApply(f"a network of {wanted:,} parameters would be more than {most:g} wide")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle * step) < wanted else (low, middle)
    return low * step, high * step
