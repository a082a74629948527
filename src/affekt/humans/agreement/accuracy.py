"""Accuracy and errors: who is right how often, and whether two observers err on the same stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError, UsageError
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]

_PAIRS = 64  # pairs whose columns are in memory at once
_MEASURES = ("accuracy", "difference", "observed", "expected", "kappa", "lowest", "highest")


@dataclass(frozen=True, kw_only=True)
class ErrorConsistency:
    """One observer against another, or the mean over several others; over the stimuli that both responded to.

    Attributes:
        accuracy: share of stimuli that the observer has right, in [0, 1].
        difference: the observer's accuracy less the other's, in [-1, 1].
        observed: share of stimuli that both have right or both have wrong, c_obs.
        expected: what ``observed`` is for errors that have nothing to do with each other, c_exp.
        kappa: (c_obs - c_exp) / (1 - c_exp), in [-1, 1]: 1 for the same errors, 0 for unrelated ones. Undefined where
            everything is right, or everything wrong, with both.
        lowest, highest: the bounds of kappa that the accuracies leave (:func:`kappa_bounds`); both 0 where one of the
            observers is always right or always wrong, so that kappa can say nothing.
        pairs: pairs of observers in the mean; 1 for one against another.
        undefined_pairs: those of them without a kappa; the mean kappa and its bounds are of the others.
    """

    accuracy: Estimate
    difference: Estimate
    observed: Estimate
    expected: Estimate
    kappa: Estimate
    lowest: Estimate
    highest: Estimate
    pairs: int
    undefined_pairs: int


def error_consistency(first: ArrayLike, second: ArrayLike, shared: Bootstrap) -> ErrorConsistency:
    """Error consistency of two observers (Geirhos, Meding & Wichmann 2020, eq. 1 and 3).

    kappa = (c_obs - c_exp) / (1 - c_exp), c_exp = p1 p2 + (1 - p1)(1 - p2).

    Args:
        first, second: ``(N,)`` whether each stimulus was classified correctly: 1 or True, 0 or False, NaN where there
            was no response.
        shared: the bootstrap of these N stimuli.

    Raises:
        UsageError: another shape.
        DataError: numbers other than 0 and 1 (how many, and the first), no stimulus that both responded to.
    """
    return consistency_with({"first": first}, {"second": second}, shared)["first"]


def consistency_with(
    models: Mapping[str, ArrayLike], people: Mapping[str, ArrayLike], shared: Bootstrap
) -> dict[str, ErrorConsistency]:
    """Each model against each person, averaged over people.

    Args:
        models, people: name -> ``(N,)`` as in :func:`error_consistency`.
        shared: the bootstrap of these N stimuli. It says what other stimuli would give, with these same people.

    Raises:
        UsageError: no models, no people, another shape.
        DataError: as :func:`error_consistency`.
    """
    if not models or not people:
        raise UsageError(f"{len(models)} models and {len(people)} people: at least one of each is asked")
    others = {name: correctness(values, f"person {name}", shared.stimuli) for name, values in people.items()}
    found = {}
    for name, values in models.items():
        own = correctness(values, f"model {name}", shared.stimuli)
        for person, other in others.items():
            _both(own, other, name, person)
        found[name] = _over_pairs([own] * len(others), list(others.values()), shared)
    return found


def consistency_among(people: Mapping[str, ArrayLike], shared: Bootstrap) -> ErrorConsistency:
    """Every person against every other, averaged over the pairs: the line that models are compared with.

    ``accuracy`` is the mean over people; ``difference``, whose sign would be the order of their names, is its absolute
    value. Its time grows with the square of the number of people.

    Args:
        people: two or more, name -> ``(N,)`` as in :func:`error_consistency`.
        shared: the bootstrap of these N stimuli.

    Raises:
        UsageError: fewer than two people, another shape.
        DataError: as :func:`error_consistency`.
    """
    if len(people) < 2:
        raise UsageError(f"{len(people)} people: two or more are asked to compare people with each other")
    each = {name: correctness(values, f"person {name}", shared.stimuli) for name, values in people.items()}
    for one, other in combinations(each, 2):
        _both(each[one], each[other], one, other)
    first, second = zip(*combinations(each.values(), 2), strict=True)
    return _over_pairs(first, second, shared, signed=False)


def kappa_bounds(first: float, second: float) -> tuple[float, float] | None:
    """The lowest and highest kappa of two observers with these accuracies (Geirhos et al. 2020, appendix).

    Both right or both wrong is at least as frequent as ``|p1 + p2 - 1|`` and at most as ``1 - |p1 - p2|``.

    Returns:
        Both bounds; None where kappa is undefined: both accuracies 1, or both 0.

    Raises:
        UsageError: accuracies outside [0, 1].
    """
    if not (0 <= first <= 1 and 0 <= second <= 1):
        raise UsageError(f"accuracies {first:g} and {second:g}: numbers from 0 to 1 are asked")
    lowest, highest = _bounds(np.array(first), np.array(second))
    return None if np.isnan(lowest) else (float(lowest), float(highest))


def correctness(values: ArrayLike, what: str, stimuli: int) -> Floats:
    """``(N,)`` 1.0, 0.0 or NaN; raises as :func:`error_consistency`."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (stimuli,):
        raise UsageError(f"{what}: shape {array.shape}; right or wrong for each of the {stimuli} stimuli is asked")
    wrong = ~(np.isnan(array) | (array == 0) | (array == 1))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"{what}: {int(wrong.sum())} of {stimuli} are neither 0 nor 1 (NaN: no response); "
            f"the first is {array[at]:g} at index {at}"
        )
    return array


def _both(first: Floats, second: Floats, one: str, other: str) -> None:
    if np.isnan(first + second).all():
        raise DataError(f"{one} and {other}: no stimulus that both responded to; compare those that share stimuli")


def _over_pairs(
    first: Sequence[Floats], second: Sequence[Floats], shared: Bootstrap, *, signed: bool = True
) -> ErrorConsistency:
    """Means over pairs of observers; a pair without a kappa in a resample is left out of that resample's mean."""
    sums, counts = np.zeros((2, shared.resamples + 1, len(_MEASURES)))
    undefined = 0
    for start in range(0, len(first), _PAIRS):
        a = np.stack(first[start : start + _PAIRS], axis=1)
        b = np.stack(second[start : start + _PAIRS], axis=1)
        found = _pairs(a, b, shared, signed=signed)
        undefined += int(np.isnan(found[0, :, _MEASURES.index("kappa")]).sum())
        sums += np.nansum(found, axis=1)
        counts += (~np.isnan(found)).sum(axis=1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    why = "both observers have every stimulus right, or every one wrong: chance alone makes them agree (c_exp = 1)"
    estimates = {name: estimate(means[:, k], units=shared.units, reason=why) for k, name in enumerate(_MEASURES)}
    return ErrorConsistency(**estimates, pairs=len(first), undefined_pairs=undefined)


def _pairs(a: Floats, b: Floats, shared: Bootstrap, *, signed: bool) -> Floats:
    """``(1 + R, P, measures)`` of P pairs, each a column of ``(N, P)`` a and b."""
    seen = ~(np.isnan(a) | np.isnan(b))
    columns = np.concatenate([seen, seen & (a == 1), seen & (b == 1), seen & (a == b)], axis=1).astype(np.float64)

    def measures(weights: Floats) -> Floats:
        n, *rights = np.split(weights @ columns, 4, axis=1)
        n = np.where(n > 0, n, np.nan)
        p1, p2, observed = (count / n for count in rights)
        chance = _unexpected(p1, p2)
        possible = np.where(chance > 0, chance, np.nan)
        kappa = 1 - (1 - observed) / possible
        difference = p1 - p2 if signed else np.abs(p1 - p2)
        accuracy = p1 if signed else (p1 + p2) / 2
        return np.stack([accuracy, difference, observed, 1 - chance, kappa, *_bounds(p1, p2)], axis=2)

    return shared(measures, columns.shape[1])


def _unexpected(p1: Floats, p2: Floats) -> Floats:
    """1 - c_exp, written so that it is exactly 0 where both are 1 or both are 0."""
    return np.asarray(p1 * (1 - p2) + p2 * (1 - p1))


def _bounds(p1: Floats, p2: Floats) -> tuple[Floats, Floats]:
    chance = _unexpected(p1, p2)
    possible = np.where(chance > 0, chance, np.nan)
    return 1 - (1 - np.abs(p1 + p2 - 1)) / possible, 1 - np.abs(p1 - p2) / possible
