"""What describes a manipulation: its name, the unit and range of its strength, its paper, the function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from affekt.errors import UsageError
from affekt.randomness import uniforms


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a manipulation is given beside the B pictures; all on the CPU.

    Attributes:
        items: ``(B,)`` int64, a number for each id.
        seed: of all draws.
        boxes: ``(B, 4)`` float64 left, top, right, bottom of the face, pixels.
        others: ``(B, 3, H, W)`` float64 in [0, 1], the second picture of each pair; None where there is none.
        landmarks: ``(B, L, 2)`` float64 of each picture and of its second; None where none are given.
    """

    items: Tensor
    seed: int
    boxes: Tensor
    others: Tensor | None = None
    landmarks: tuple[Tensor, Tensor] | None = None

    def draws(self, name: str, n: int) -> Tensor:
        """``(B, n)`` float64 in [0, 1): functions of (name, seed, id) alone; draw j is the same whatever n is."""
        return uniforms(self.items, seed=self.seed, epoch=0, name=f"manipulation {name}", n=n).double()


@dataclass(frozen=True, kw_only=True)
class Manipulation:
    """One manipulation of pictures.

    Attributes:
        name: as written on the command line.
        about: one line for people.
        unit: of the strength.
        low, high: the range of the strength, both allowed.
        reference: the paper, or what is standard about it.
        apply: (``(B, 3, H, W)`` float64 in [0, 1], strength, beside) -> the same shape; what leaves [0, 1] is clipped
            by the caller.
        unchanged: the strength that returns the picture itself; None: no strength does.
        whole: only whole numbers are strengths.
        random: draws by (seed, id), so that ids are needed.
        faces: uses face boxes.
        pairs: needs a second picture for each.
    """

    name: str
    about: str
    unit: str
    low: float
    high: float
    reference: str
    apply: Callable[[Tensor, float, Beside], Tensor]
    unchanged: float | None = 0.0
    whole: bool = False
    random: bool = False
    faces: bool = False
    pairs: bool = False

    def check(self, strength: float) -> None:
        """
        Raises:
            UsageError: a strength that is no number, out of range, or not whole where it must be.
        """
        span = f"{self.low:g} to {self.high:g} ({self.unit})"
        if not math.isfinite(strength) or not self.low <= strength <= self.high:
            raise UsageError(f"{self.name}: strength {strength:g} is out of range; write {span}")
        if self.whole and strength != int(strength):
            raise UsageError(f"{self.name}: strength {strength:g} is no whole number; write one of {span}")
