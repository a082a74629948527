"""Estimate: a measure over all stimuli and over each resample of them, with its intervals, or why it is undefined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measure of one model.

    Attributes:
        value: over all stimuli, as they are; None where the measure is undefined.
        reason: why it is undefined; empty where it is not.
        draws: ``(R,)`` over each resample, NaN in those where it is undefined. Draw r of every model and measure is of
            the same stimuli, so draws can be subtracted.
        units: how many stimuli, or groups of them, were drawn.
    """

    value: float | None
    reason: str
    draws: Floats
    units: int

    @property
    def undefined(self) -> int:
        """Resamples in which the measure is undefined; intervals leave them out."""
        return int(np.isnan(self.draws).sum())

    @property
    def standard_error(self) -> float | None:
        """Standard deviation of the draws times sqrt(G / (G - 1)): G units drawn from G vary too little by that much.

        None where there is no interval either.
        """
        held = self._held()
        return None if held is None else float(held.std(ddof=1)) * (self.units / (self.units - 1)) ** 0.5

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """The percentile interval (Efron 1979): the quantiles of the draws.

        The one to report: it stays within a measure's range and, for r or kappa near their bounds, has the longer arm
        on the right side, since it is the same whatever monotone scale the measure is written in. With few units (below
        about 20) it is too narrow, and where the draws are shifted against the value, as they are for a calibration
        error, it is shifted too: there :meth:`basic_interval` is the one to report.

        Returns:
            Both ends; None where the value is undefined, or is so in more than half of the resamples.

        Raises:
            UsageError: a level that is not between 0 and 1.
        """
        ends = self._quantiles(level)
        return None if ends is None else (float(ends[0]), float(ends[1]))

    def basic_interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """The basic interval (Davison & Hinkley 1997, eq. 5.6): the percentile interval mirrored at the value.

        It takes off the bias that the draws show, and may leave the measure's range. Returns and raises as
        :meth:`interval`.
        """
        ends = self._quantiles(level)
        if ends is None or self.value is None:
            return None
        return float(2 * self.value - ends[1]), float(2 * self.value - ends[0])

    def _quantiles(self, level: float) -> Floats | None:
        if not 0 < level < 1:
            raise UsageError(f"level = {level}: a number between 0 and 1, such as 0.95")
        held = self._held()
        return None if held is None else np.quantile(held, [(1 - level) / 2, (1 + level) / 2])

    def _held(self) -> Floats | None:
        held = self.draws[~np.isnan(self.draws)]
        return None if self.value is None or len(held) < 2 or self.undefined > len(self.draws) / 2 else held


def estimate(column: Floats, *, units: int, reason: str) -> Estimate:
    """From ``(1 + R,)`` numbers, as a :class:`Bootstrap` makes them: the value first, then the draws.

    ``reason`` is kept only where the value is NaN, which becomes None.
    """
    undefined = bool(np.isnan(column[0]))
    return Estimate(
        value=None if undefined else float(column[0]),
        reason=reason if undefined else "",
        draws=np.ascontiguousarray(column[1:]),
        units=units,
    )
