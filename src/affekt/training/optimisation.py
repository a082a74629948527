"""Optimisers and learning-rate schedules: SGD with Nesterov momentum, Adam, AdamW; a factor for each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from affekt.errors import UsageError, unknown
from affekt.recipe import TrainingSettings

Factor = Callable[[int], float]
"""Step, from 0 -> what each group's learning rate is multiplied with, in [0, 1]."""

ONE_CYCLE_RISE = 0.3
"""Share of the steps in which one-cycle rises where no warm-up is given (Smith & Topin 2018; PyTorch's default)."""
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / 250_000
STEP_FACTOR = 0.1

SCHEDULES = ("constant", "cosine", "one-cycle", "step")
OPTIMISERS = ("sgd", "adam", "adamw")

_FUSED = ("cpu", "cuda", "mps", "xpu")


def create_optimiser(
    settings: TrainingSettings, groups: Sequence[dict[str, Any]], device: torch.device
) -> torch.optim.Optimizer:
    """The optimiser of ``settings`` on parameter groups that bring their own ``lr`` and ``weight_decay``; fused.

    Raises:
        UsageError: nothing to learn, or an unknown optimiser.
    """
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise UsageError("nothing to train: no parameter of the task takes a gradient; unfreeze some of the network")
    fused = device.type in _FUSED
    rate, beta = settings.learning_rate, settings.momentum
    if settings.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=beta, nesterov=beta > 0, fused=fused)
    if settings.optimiser == "adam":
        return torch.optim.Adam(groups, lr=rate, betas=(beta, 0.999), fused=fused)
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=(beta, 0.999), fused=fused)
    raise UsageError(unknown("optimiser", settings.optimiser, OPTIMISERS))


def weighting_group(weighting: nn.Module | None, learning_rate: float) -> list[dict[str, Any]]:
    """The learned weights of the losses as an optimiser group of their own, never decayed; none without parameters."""
    learned = [] if weighting is None else [p for p in weighting.parameters() if p.requires_grad]
    return [{"params": learned, "lr": learning_rate, "weight_decay": 0.0}] if learned else []


def create_schedule(settings: TrainingSettings, *, steps: int, steps_per_epoch: int) -> Factor:
    """The factor of the learning rate for each of ``steps`` steps.

    With W = ``warmup`` epochs in steps, step s (from 0) has (s + 1) / W while s < W. After that, with
    t = (s - W) / (steps - W) in [0, 1):

    - ``constant``: 1
    - ``cosine``: (1 + cos(pi t)) / 2
    - ``step``: 0.1 ** floor(epoch / ``step_every``), epochs from 0
    - ``one-cycle``: cosine from 1/25 up to 1 over the first 30 % of the steps (or over the warm-up, if there is one),
      then cosine down to 1/250,000 at the last step (Smith & Topin 2018, arXiv:1708.07120)
    """
    if settings.schedule not in SCHEDULES:
        raise UsageError(unknown("schedule", settings.schedule, SCHEDULES))
    warm = round(settings.warmup * steps_per_epoch)
    if settings.schedule == "one-cycle":
        return _one_cycle(steps, min(warm, steps) or ONE_CYCLE_RISE * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        if settings.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
        if settings.schedule == "step":
            return float(STEP_FACTOR ** (step // steps_per_epoch // settings.step_every))
        return 1.0

    return factor


def _one_cycle(steps: int, rise: float) -> Factor:
    peak, last = max(rise - 1, 0.0), max(steps - 1, 1)

    def factor(step: int) -> float:
        if step <= peak and peak > 0:
            return _cosine(ONE_CYCLE_START, 1.0, step / peak)
        return _cosine(1.0, ONE_CYCLE_END, (step - peak) / (last - peak)) if last > peak else 1.0

    return factor


def _cosine(start: float, end: float, t: float) -> float:
    """From ``start`` at t = 0 to ``end`` at t = 1."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * t))


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Give each group its base rate (what it was created with) times ``factor``."""
    for group in optimiser.param_groups:
        base = group.setdefault("base_lr", group["lr"])
        group["lr"] = base * factor
