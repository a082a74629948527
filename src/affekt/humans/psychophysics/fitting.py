"""Fitting a psychometric curve with psignifit 4 (extra ``humans``), and saying where none can be fitted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from affekt.errors import MissingExtra, UsageError, unknown
from affekt.humans.psychophysics.counts import Floats, pooled
from affekt.humans.psychophysics.curve import (
    SHAPES,
    Direction,
    Estimate,
    Psychometric,
    Sigmoid,
    goodness,
    level_of_half,
    slope,
)
from affekt.randomness import generator

# psignifit's own steps, but fewer of overdispersion, of which nothing but its size is reported: half the time and
# memory where guess, lapse and overdispersion are all free.
_STEPS = {"threshold": 40, "width": 40, "lambda": 20, "gamma": 20, "eta": 8}
_COARSE = {"threshold": 25, "width": 30, "lambda": 10, "gamma": 10, "eta": 8}


def psychometric(
    levels: ArrayLike,
    positive: ArrayLike,
    total: ArrayLike,
    *,
    guess: float | Literal["free", "lapse"] = "free",
    sigmoid: Sigmoid = "norm",
    direction: Direction = "rising",
    overdispersed: bool = True,
    confidence: float = 0.95,
    seed: int = 0,
) -> Psychometric:
    """Fit a psychometric curve to counts.

    Args:
        levels: ``(L,)`` strength of the manipulation; a level that occurs twice is pooled, one without trials left out.
        positive: ``(L,)`` positive (a morph) or correct (occlusion, noise) responses.
        total: ``(L,)`` trials.
        guess: lower asymptote: a number (chance, 1 / K, of K choices), ``"lapse"`` (as far from 0 as the upper one from
            1: two responses of equal standing, a morph), or ``"free"``.
        sigmoid: F, the normal or the logistic distribution function.
        direction: ``"falling"`` where responses become fewer, as accuracy does with noise.
        overdispersed: whether people (or pictures) may vary more than binomially; slower, and the honest choice where
            the responses of several people or to several pictures are pooled.
        confidence: of the intervals, in (0, 1).
        seed: of the tables drawn for ``deviance_p``.

    Returns:
        What was fitted. Fewer than three levels, responses that are all alike, data that do not place the threshold
        among the levels, a failure inside psignifit: ``converged`` is False and ``reason`` says so.

    Raises:
        UsageError: an option that does not exist or is out of range.
        DataError: columns of different lengths, numbers that are not finite, counts that are negative, not whole, or
            more than the trials.
        MissingExtra: psignifit is not installed.
    """
    _options(guess, sigmoid, direction, confidence)
    x, k, n = pooled(levels, positive, total)
    known: dict[str, Any] = {"levels": len(x), "trials": int(n.sum()), "sigmoid": sigmoid, "direction": direction}
    reason = _unfit(x, k, n)
    if reason:
        return Psychometric(converged=False, reason=reason, **known)
    side = -1 if direction == "falling" else 1
    options: dict[str, Any] = _experiment(guess)
    if not overdispersed:
        options["fixed_parameters"] = {**options.get("fixed_parameters", {}), "eta": 0.0}
    try:
        fit = _psignifit(np.column_stack([side * x, k, n]), sigmoid=sigmoid, confP=(confidence,), **options)
    except (ValueError, AssertionError, ArithmeticError, np.linalg.LinAlgError, _Failure) as failure:
        return Psychometric(converged=False, reason=f"psignifit stopped: {failure}", **known)
    estimates = _estimates(fit, sigmoid, side, confidence)
    reason = _unplaced(estimates["threshold"], x, side * _trend(x, k, n))
    if reason:
        return Psychometric(converged=False, reason=reason, **known)
    if not overdispersed:
        estimates["overdispersion"] = None
    if not isinstance(guess, str) or not _finite(estimates["pse"]):
        estimates["pse"] = None
    found = Psychometric(converged=True, reason="", **estimates, **known)
    deviance, p = goodness(found.curve(x), k, n, generator("psychometric deviance", seed))
    return Psychometric(converged=True, reason="", deviance=deviance, deviance_p=p, **estimates, **known)


class _Failure(Exception):  # noqa: N818 - never seen by a caller
    """psignifit's own exception, whose class can be named only where psignifit is installed."""


def _psignifit(table: Floats, **options: Any) -> Any:
    try:
        import psignifit
    except ImportError:
        raise MissingExtra("humans", "psignifit") from None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return psignifit.psignifit(
                table, debug=True, verbose=False, grid_steps=_STEPS, steps_moving_bounds=_COARSE, **options
            )
        except Exception as failure:
            if type(failure).__module__.startswith("psignifit"):
                raise _Failure(str(failure)) from failure
            raise


def _experiment(guess: float | str) -> dict[str, Any]:
    """psignifit's names for what is known about the lower asymptote."""
    if guess == "lapse":
        return {"experiment_type": "equal asymptote"}
    if guess == "free":
        return {"experiment_type": "yes/no"}
    return {"experiment_type": "yes/no", "fixed_parameters": {"gamma": float(guess)}}


def _estimates(fit: Any, sigmoid: Sigmoid, side: int, confidence: float) -> dict[str, Any]:
    grid, mass = _grid(fit)

    def estimate(quantity: Callable[[dict[str, Any]], Any]) -> Estimate:
        value = float(quantity({name: np.float64(v) for name, v in fit.parameter_estimate_MAP.items()}))
        low, high = _interval(quantity(grid), mass, confidence)
        return Estimate(value=value, low=min(low, value), high=max(high, value))

    return {
        "threshold": _turned(estimate(lambda at: at["threshold"]), side),
        "pse": _turned(estimate(lambda at: level_of_half(at, sigmoid)), side),
        "width": estimate(lambda at: at["width"]),
        "slope": _turned(estimate(lambda at: slope(at, sigmoid)), side),
        "lapse": estimate(lambda at: at["lambda"]),
        "guess": estimate(lambda at: at["gamma"]),
        "overdispersion": estimate(lambda at: at["eta"]),
    }


def _grid(fit: Any) -> tuple[dict[str, Any], Floats]:
    """psignifit's grid as axes to be broadcast, and the posterior mass of its points."""
    mass = fit.debug["posteriors"]
    names = sorted(fit.parameter_values)  # psignifit's order of the axes
    if mass.ndim < len(names):  # equal asymptotes are one axis
        names.remove("gamma")
    axes = dict(zip(names, np.ix_(*(fit.parameter_values[name] for name in names)), strict=True))
    axes.setdefault("gamma", axes["lambda"])
    return axes, mass


def _interval(values: Any, mass: Floats, confidence: float) -> tuple[float, float]:
    """Posterior percentile interval of a quantity that is known at each point of the grid.

    The mass of a value reaches halfway to its neighbours; psignifit's own percentiles end it at the value itself and
    lie half a step of the grid lower.
    """
    shared = tuple(axis for axis, size in enumerate(values.shape) if size == 1)
    weights = mass.sum(axis=shared, keepdims=True)
    found, index = np.unique(values, return_inverse=True)
    own = np.bincount(index.ravel(), np.broadcast_to(weights, values.shape).ravel())
    tail = (1 - confidence) / 2
    edges = np.concatenate([found[:1], (found[1:] + found[:-1]) / 2, found[-1:]])
    low, high = np.interp([tail, 1 - tail], np.concatenate([[0], np.cumsum(own)]) / own.sum(), edges)
    return float(low), float(high)


def _turned(estimate: Estimate, side: int) -> Estimate:
    if side > 0:
        return estimate
    return Estimate(value=-estimate.value, low=-estimate.high, high=-estimate.low)


def _unfit(x: Floats, k: Floats, n: Floats) -> str:
    if len(x) < 3:
        return f"{len(x)} levels with trials; a curve needs three"
    if k.sum() in (0, n.sum()):
        return f"all {int(n.sum())} responses are alike; nothing changes with the level"
    return ""


def _unplaced(threshold: Estimate, x: Floats, trend: float) -> str:
    """The threshold's prior is flat over the levels: an interval as wide as they are says nothing that was measured."""
    low, high = float(x.min()), float(x.max())
    if not _finite(threshold):
        return "psignifit found no finite threshold"
    if trend < -0.5:
        return "the responses go the other way with the level; the other direction may be meant"
    if not low <= threshold.value <= high:
        return f"the threshold ({threshold.value:.3g}) would lie outside the levels {low:.3g} to {high:.3g}"
    if threshold.high - threshold.low >= 0.9 * (high - low):
        return f"the responses do not place the threshold within the levels {low:.3g} to {high:.3g}"
    return ""


def _trend(x: Floats, k: Floats, n: Floats) -> float:
    """Correlation of the level with the share of positive responses, each level times its trials."""
    spread = np.cov(x, k / n, aweights=n)
    return float(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])) if spread[1, 1] > 0 else 0.0


def _finite(estimate: Estimate) -> bool:
    return all(map(math.isfinite, (estimate.value, estimate.low, estimate.high)))


def _options(guess: float | str, sigmoid: str, direction: str, confidence: float) -> None:
    if isinstance(guess, str) and guess not in ("free", "lapse"):
        raise UsageError(unknown("guess", guess, ("free", "lapse", "a number")))
    if not isinstance(guess, str) and not 0 <= guess < 1:
        raise UsageError(f"guess = {guess}: a share of trials in [0, 1) is asked, such as 1 / K of K choices")
    if sigmoid not in SHAPES:
        raise UsageError(unknown("sigmoid", sigmoid, SHAPES))
    if direction not in get_args(Direction):
        raise UsageError(unknown("direction", direction, get_args(Direction)))
    if not 0 < confidence < 1:
        raise UsageError(f"confidence = {confidence}: a number in (0, 1) is asked")
