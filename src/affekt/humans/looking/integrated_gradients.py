"""Integrated gradients: what each pixel adds to the answer on the straight way from a baseline to the picture.

M. Sundararajan, A. Taly, Q. Yan: Axiomatic Attribution for Deep Networks, ICML 2017, equation 1. Complete: a map sums
to the answer at the picture minus the answer at the baseline, but for the error of the numerical integral.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.humans.looking.asking import ask, still
from affekt.humans.looking.library import explaining, method

AT_ONCE = 32
"""Pictures of the way that run at a time, so that memory does not grow with the steps."""


def integrated_gradients(
    model: nn.Module,
    images: Tensor,
    *,
    category: str | int | None = None,
    rating: str | None = None,
    baseline: float | Tensor = 0.0,
    steps: int = 64,
) -> Tensor:
    """``(B, H, W)`` signed maps, summed over colours, by captum's ``IntegratedGradients`` (Gauss-Legendre).

    Args:
        model, images, category, rating: as of :func:`ask`.
        baseline: where the way begins: a level of grey (0, black, as in the paper), or pictures that broadcast to
            ``images``. Pixels of the baseline's own value get nothing.
        steps: points of the integral.

    Raises:
        UsageError: as :func:`ask`, a baseline out of range or of another shape, no steps, a model without gradient.
        MissingExtra: captum is not installed.
    """
    integrated = method("IntegratedGradients")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise UsageError(f"steps = {steps!r}: a whole number of 1 or more is asked; 64 is usual")
    with still(model), explaining("integrated gradients"):
        asked = ask(model, images, category=category, rating=rating)
        found = integrated(asked.answer).attribute(
            asked.images,
            baselines=_baseline(baseline, asked.images),
            target=asked.columns,
            n_steps=steps,
            internal_batch_size=max(AT_ONCE, len(images)),
        )
    maps: Tensor = found.detach().sum(dim=1).float().to(images.device)
    return maps


def _baseline(baseline: float | Tensor, images: Tensor) -> Tensor:
    if not isinstance(baseline, Tensor):
        if not 0 <= baseline <= 1:
            raise UsageError(f"baseline = {baseline}: a level of grey from 0 (black) to 1, or pictures")
        return torch.full_like(images, baseline)
    try:
        return baseline.to(images).expand_as(images).clone()
    except RuntimeError:
        shape = tuple(baseline.shape)
        raise UsageError(
            f"baseline of shape {shape}: pictures are {tuple(images.shape)}; give one or one each"
        ) from None
