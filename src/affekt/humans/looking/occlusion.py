"""Occlusion sensitivity: how much the answer falls when a grey window covers each place.

M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2. Needs no gradient
and no feature map, and takes in everything that the picture does to the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.data.manipulations.occlusion import GREY
from affekt.errors import UsageError
from affekt.humans.looking.asking import ask, still
from affekt.humans.looking.library import method

SHARE = 7
"""The window is this part of the picture's shorter side where none is given, and moves by half of itself."""

AT_ONCE = 32
"""Covered pictures that run at a time."""


def occlusion(
    model: nn.Module,
    images: Tensor,
    *,
    category: str | int | None = None,
    rating: str | None = None,
    window: int | None = None,
    stride: int | None = None,
    fill: float = GREY,
) -> Tensor:
    """``(B, H, W)`` signed maps by captum's ``Occlusion``: positive where covering a place takes from the answer.

    A point gets the mean, over the windows that cover it, of the answer without the window less the answer with it.

    Args:
        model, images, category, rating: as of :func:`ask`.
        window: side of the window, pixels of ``images``; None: a seventh of the shorter side.
        stride: by how many pixels it moves, no more than ``window``; None: half a window.
        fill: grey of the window, 0 to 1.

    Raises:
        UsageError: as :func:`ask`, or a window, stride or fill that cannot be.
        MissingExtra: captum is not installed.
    """
    occluding = method("Occlusion")
    with still(model), torch.no_grad():
        asked = ask(model, images, category=category, rating=rating)
        side, step = _window(window, stride, min(images.shape[2:]))
        if not 0 <= fill <= 1:
            raise UsageError(f"fill = {fill}: a level of grey from 0 to 1 is asked")
        found = occluding(asked.answer).attribute(
            asked.images,
            target=asked.columns,
            sliding_window_shapes=(3, side, side),
            strides=(3, step, step),
            baselines=fill,
            perturbations_per_eval=max(1, AT_ONCE // len(images)),
        )
    # A window covers all colours, so that they all have the same number.
    maps: Tensor = found[:, 0].float().to(images.device)
    return maps


def _window(window: int | None, stride: int | None, shorter: int) -> tuple[int, int]:
    side = max(1, round(shorter / SHARE)) if window is None else window
    if not 1 <= side <= shorter:
        raise UsageError(f"window = {side}: 1 to {shorter} pixels, the picture's shorter side, are asked")
    step = max(1, side // 2) if stride is None else stride
    if not 1 <= step <= side:
        raise UsageError(f"stride = {step}: 1 to {side} pixels are asked, since a wider one would leave gaps")
    return side, step
