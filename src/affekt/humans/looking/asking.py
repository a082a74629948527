"""Asking: the one number of a model's answer that a map explains, for each picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from affekt.affect import canonical_category
from affekt.errors import UsageError, unknown

Answer = Callable[[Tensor], Tensor]
"""``(n, 3, H, W)`` pictures in [0, 1] -> ``(n, K)`` numbers that can be explained."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a model about B pictures.

    Attributes:
        images: ``(B, 3, H, W)`` float in [0, 1], on the model's device.
        answer: pictures -> ``(n, K)`` log-probabilities, or ratings in units of their scale.
        columns: ``(B,)`` int64, which of the K numbers is explained.
        values: ``(B,)`` that number.
        names: the class or rating of each picture.
        what: ``"log-probability"`` or ``"rating"``.
    """

    images: Tensor
    answer: Answer
    columns: Tensor
    values: Tensor
    names: tuple[str, ...]
    what: str


def ask(model: nn.Module, images: Tensor, *, category: str | int | None = None, rating: str | None = None) -> Asked:
    """Choose what is explained; call it inside :func:`still`.

    Args:
        model: an affect network (its category head or a rating), a regulated model (the regulated log-probability, with
            all that the picture does to it by way of the affect state), or any module from pictures to ``(B, K)``
            logits.
        images: ``(B, 3, H, W)`` RGB, uint8 or float in [0, 1].
        category: class by name or number; None: the likeliest of each picture.
        rating: a rating of an affect network, by name; the only one there is needs no name.

    Raises:
        UsageError: pictures of another shape, a class or rating that the model does not have, both at once.
    """
    pictures = _pictures(model, images)
    if category is not None and rating is not None:
        raise UsageError(f"class {category} and rating {rating}: one of them is asked at a time")
    names, answer, what = _of_rating(model, rating) if _is_rating(model, category, rating) else _of_class(model)
    with torch.no_grad():
        numbers = answer(pictures)
    names = names or tuple(map(str, range(numbers.shape[1])))
    wanted: str | int | None = rating if what == "rating" else category
    if wanted is None and what == "log-probability":
        columns = numbers.argmax(dim=1)
    else:
        columns = torch.full((len(pictures),), _column(what, wanted, names), device=numbers.device)
    return Asked(
        images=pictures,
        answer=answer,
        columns=columns,
        values=numbers.gather(1, columns[:, None])[:, 0],
        names=tuple(names[i] for i in columns.tolist()),
        what=what,
    )


@contextmanager
def still(model: nn.Module) -> Iterator[None]:
    """Evaluation mode with gradients, so that a map is a function of the picture; every module's mode is put back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _pictures(model: nn.Module, images: Tensor) -> Tensor:
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        found = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise UsageError(f"images: {found}; give a tensor (B, 3, H, W), uint8 or float in [0, 1]")
    device = next((p.device for p in model.parameters()), images.device)
    scale = 255.0 if images.dtype == torch.uint8 else 1.0
    return images.detach().to(device, torch.float32).clone() / scale


def _is_rating(model: Any, category: str | int | None, rating: str | None) -> bool:
    """Whether a rating is meant: it is named, or the model answers with nothing else."""
    only = bool(getattr(model, "ratings", ())) and not getattr(model, "categories", ())
    if category is not None and only:
        raise UsageError(f"class {category}: this network has ratings only: {', '.join(model.ratings)}; name one")
    return rating is not None or only


def _of_rating(model: Any, rating: str | None) -> tuple[tuple[str, ...], Answer, str]:
    names = tuple(getattr(model, "ratings", ()))
    if not names:
        also = "; its emotional encoder may have some: ask model.emotional" if hasattr(model, "emotional") else ""
        raise UsageError(f"rating {rating}: {type(model).__name__} has no ratings; name a class{also}")
    if rating is None and len(names) > 1:
        raise UsageError(f"this network has several ratings and no categories: name one of {', '.join(names)}")
    return names, lambda images: model(images).rating_values.float(), "rating"


def _of_class(model: Any) -> tuple[tuple[str, ...], Answer, str]:
    names = tuple(getattr(model, "categories", None) or getattr(model, "classes", None) or ())
    return names, _log_probabilities(model), "log-probability"


def _log_probabilities(model: Any) -> Answer:
    if hasattr(model, "emotional"):
        return lambda images: _regulated(model, images)
    if getattr(model, "categories", None):
        return lambda images: model(images).category_logits.float().log_softmax(dim=1)
    return lambda images: model(images).float().log_softmax(dim=1)


def _regulated(model: Any, images: Tensor) -> Tensor:
    """The regulated log-probabilities, with the gradient that the model itself cuts at a frozen emotional encoder."""
    felt = model.emotional(images)
    out: Tensor = model(images, affect=felt.state, emotional_features=felt.features).log_probabilities
    return out


def _column(what: str, wanted: str | int | None, names: Sequence[str]) -> int:
    """Raises:
    UsageError: no class or rating of that name or number.
    """
    kind = "rating" if what == "rating" else "class"
    if wanted is None:
        return 0
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        if not 0 <= wanted < len(names):
            raise UsageError(f"{kind} {wanted}: the model has {len(names)}, 0 to {len(names) - 1}")
        return wanted
    for name in (str(wanted), _canonical(str(wanted))):
        if name in names:
            return names.index(name)
    raise UsageError(unknown(kind, str(wanted), names))


def _canonical(name: str) -> str:
    """``"happy"`` as ``"happiness"``; itself where it is no emotion."""
    try:
        return canonical_category(name)
    except UsageError:
        return name
