"""Simplex: weights that sum to one, by a softmax of scores - with a floor, a temperature and normalised losses."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from affekt.errors import UsageError, unknown
from affekt.weighting._base import Weighting

Normalise = Literal["none", "first", "running"]
NORMALISE: tuple[str, ...] = ("none", "first", "running")

DECAY = 0.99
"""Of the running mean of a loss: about the last hundred steps."""

SMALLEST = 1e-8
"""A loss is never divided by less."""


class Simplex(Weighting):
    """``w = f + (1 - n f) softmax(scores / T)`` on the losses ``L_i / s_i``.

    Args:
        tasks: the names of the losses.
        floor: f, the least that each weight can be; below 1/n.
        temperature: T; above 0.
        normalise: s_i: ``"none"``: 1; ``"first"``: the task's first loss; ``"running"``: the mean of its losses so far,
            older ones counting less (decay 0.99 a step). The size of a loss then no longer decides about its weight.

    Raises:
        UsageError: a floor that leaves nothing to share out, a temperature of 0 or less, an unknown word.
    """

    scale: Tensor

    def __init__(
        self, tasks: Sequence[str], *, floor: float = 0.0, temperature: float = 1.0, normalise: Normalise = "none"
    ) -> None:
        super().__init__(tasks)
        if not 0 <= floor * len(self.tasks) < 1:
            most = 1 / len(self.tasks)
            raise UsageError(
                f"floor = {floor:g}: {len(self.tasks)} tasks share a weight of 1; set 0 or more, less than {most:.3g}"
            )
        if not (math.isfinite(temperature) and temperature > 0):
            raise UsageError(f"temperature = {temperature:g}: above 0 was expected")
        if normalise not in NORMALISE:
            raise UsageError(unknown("normalise", normalise, NORMALISE))
        self.floor, self.temperature, self.normalise = floor, temperature, normalise
        self.observes = self.scale_free = normalise != "none"
        if self.observes:
            self.register_buffer("scale", torch.zeros(len(self.tasks)))

    @property
    def settings(self) -> dict[str, Any]:
        defaults = {"floor": 0.0, "temperature": 1.0, "normalise": "none"}
        return {key: getattr(self, key) for key, default in defaults.items() if getattr(self, key) != default}

    @torch.no_grad()
    def observe(self, losses: Tensor, after: Tensor | None = None) -> None:
        """Take a step's losses into the means that later ones are divided by."""
        del after
        if not self.observes:
            return
        sizes = losses.abs().to(self.scale)
        later = self.scale if self.normalise == "first" else DECAY * self.scale + (1 - DECAY) * sizes
        self.scale.copy_(torch.where(self.scale > 0, later, sizes.clamp(min=SMALLEST)))

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        scale = self._scale(losses)
        normalised = losses if scale is None else losses / scale
        shares = torch.softmax(self._scores(normalised) / self.temperature, dim=0)
        weights = self.floor + (1 - len(self.tasks) * self.floor) * shares
        scalar = (weights * normalised).sum()
        return scalar, (weights if scale is None else weights / scale).detach()

    def _scale(self, losses: Tensor) -> Tensor | None:
        if not self.observes:
            return None
        scale = self.scale.to(losses.dtype)
        return torch.where(scale > 0, scale, losses.detach().abs()).clamp(min=SMALLEST)

    @abstractmethod
    def _scores(self, losses: Tensor) -> Tensor:
        """``(n,)`` losses -> ``(n,)`` scores; no gradient may run through the losses here."""
