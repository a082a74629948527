"""Constant: the same r for every picture, never learned."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from affekt.regulation.regulators.base import Regulator


class Constant(Regulator):
    """``r = constant``; 0.5 is a plain average of the two branches."""

    uses_affect: ClassVar[bool] = False

    def weigh(self, affect: Tensor) -> Tensor:
        return affect.new_full((len(affect), 1), self.setup.constant).float()
