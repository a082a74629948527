"""A psychometric curve: its shape, its estimates, and how well counts agree with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import xlogy

from affekt.errors import DataError
from affekt.humans.psychophysics.counts import Floats

Sigmoid = Literal["norm", "logistic"]
Direction = Literal["rising", "falling"]

SHAPES: dict[str, Any] = {"norm": stats.norm, "logistic": stats.logistic}

_ALPHA = 0.05  # F at the lower end of the width
_SIMULATED = 2000  # tables drawn from the fitted curve, for the deviance


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A parameter: the posterior mode and a posterior interval, widened to the mode where that sits on its edge."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Psychometric:
    """A fitted curve, or why there is none.

    Attributes:
        converged: whether there is one; all estimates are None if not.
        reason: why not, in words; empty if there is.
        threshold: level (in the unit of the levels) halfway between the asymptotes, F = 0.5.
        pse: point of subjective equality, the level where psi = 0.5; None where ``guess`` was fixed or psi never is.
        width: from F = 0.05 to F = 0.95, in the unit of the levels.
        slope: of psi at the threshold, per unit of the levels; negative where the curve falls.
        lapse: 1 - upper asymptote, in [0, 0.5].
        guess: lower asymptote; an interval of one number where it was fixed.
        overdispersion: eta in [0, 1] of the beta-binomial, 0 for binomial responses; None where not asked for.
        deviance: 2 (log-likelihood of the shares - of the curve), binomial, 0 or more (Wichmann & Hill 2001, eq. 3).
        deviance_p: share of tables drawn from the fitted curve, binomial, that deviate as much or more. The curve is
            not fitted again to each, hence it is somewhat too large; a small one says that the curve does not fit,
            is steeper than its levels resolve, or that responses vary more than binomial ones.
        levels: number of different levels with trials.
        trials: number of trials.
        sigmoid: F.
        direction: whether responses become more or fewer with the level.
    """

    converged: bool
    reason: str
    threshold: Estimate | None = None
    pse: Estimate | None = None
    width: Estimate | None = None
    slope: Estimate | None = None
    lapse: Estimate | None = None
    guess: Estimate | None = None
    overdispersion: Estimate | None = None
    deviance: float | None = None
    deviance_p: float | None = None
    levels: int
    trials: int
    sigmoid: Sigmoid
    direction: Direction

    def curve(self, levels: ArrayLike) -> Floats:
        """psi at some levels, in [0, 1], by the estimates.

        Raises:
            DataError: the fit did not converge.
        """
        if self.threshold is None or self.width is None or self.lapse is None or self.guess is None:
            raise DataError(f"psychometric curve: there is none: {self.reason}")
        side = -1 if self.direction == "falling" else 1
        distance = side * (np.asarray(levels, dtype=np.float64) - self.threshold.value)
        shape = SHAPES[self.sigmoid]
        rise = shape.cdf(distance / (self.width.value * _unit_scale(self.sigmoid)))
        return np.asarray(self.guess.value + (1 - self.lapse.value - self.guess.value) * rise)


def slope(at: dict[str, Any], sigmoid: Sigmoid) -> Any:
    """Slope of psi at the threshold, for parameters by psignifit's names, numbers or arrays to be broadcast."""
    return (1 - at["gamma"] - at["lambda"]) * SHAPES[sigmoid].pdf(0) / (at["width"] * _unit_scale(sigmoid))


def level_of_half(at: dict[str, Any], sigmoid: Sigmoid) -> Any:
    """Level where psi = 0.5, infinite where it never is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (0.5 - at["gamma"]) / np.maximum(1 - at["gamma"] - at["lambda"], 1e-12)
        distance = SHAPES[sigmoid].ppf(np.round(rise, 12))  # equal asymptotes: the threshold itself, to the last digit
        return at["threshold"] + at["width"] * _unit_scale(sigmoid) * distance


def _unit_scale(sigmoid: Sigmoid) -> float:
    """Scale of the distribution whose width is 1."""
    return float(1 / (SHAPES[sigmoid].ppf(1 - _ALPHA) - SHAPES[sigmoid].ppf(_ALPHA)))


def goodness(psi: Floats, k: Floats, n: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Deviance of counts from psi, and the share of tables drawn from psi that deviate as much or more."""
    found = float(_deviance(psi, k, n))
    drawn = _deviance(psi, rng.binomial(n.astype(np.int64), psi, (_SIMULATED, len(n))).astype(np.float64), n)
    return found, float((1 + (drawn >= found - 1e-9).sum()) / (1 + _SIMULATED))


def _deviance(psi: Floats, k: Floats, n: Floats) -> Any:
    with np.errstate(divide="ignore"):
        terms = xlogy(k, k / n) - xlogy(k, psi) + xlogy(n - k, (n - k) / n) - xlogy(n - k, 1 - psi)
    return np.maximum(2 * terms.sum(axis=-1), 0)
