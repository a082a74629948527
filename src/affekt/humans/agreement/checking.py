"""Checks of what comes in: one array shape for all observers, finite numbers, ratings within their scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError, UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def numbers(values: ArrayLike, what: str, *, stimuli: int) -> Floats:
    """``(N,)`` finite float64.

    Raises:
        UsageError: another shape.
        DataError: numbers that are missing or not finite: how many, and the first.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (stimuli,):
        raise UsageError(f"{what}: shape {array.shape}; one number for each of the {stimuli} stimuli is asked")
    _refuse(~np.isfinite(array), array, what, "not a finite number; join on the stimuli that both have")
    return array


def within(values: Floats, scale: tuple[float, float] | None, what: str) -> Floats:
    """The ratings, all within their scale (both ends belong to it; NaN is passed); any ratings without a scale.

    Raises:
        UsageError: a scale whose ends are in the wrong order.
        DataError: ratings outside it: how many, and the first.
    """
    if scale is None:
        return values
    low, high = scale
    if not low < high:
        raise UsageError(f"scale {low:g} to {high:g}: the lower end comes first")
    _refuse((values < low) | (values > high), values, what, f"outside the scale of {low:g} to {high:g}")
    return values


def at_least(low: float, values: Floats, what: str) -> Floats:
    """The numbers, all of them ``low`` or more.

    Raises:
        DataError: numbers below it: how many, and the first.
    """
    _refuse(values < low, values, what, f"below {low:g}")
    return values


def table(observers: Mapping[str, ArrayLike], what: str, *, stimuli: int) -> Floats:
    """``(N, M)``: one column of finite numbers for each of M observers.

    Raises:
        UsageError: no observers, another shape.
        DataError: as :func:`numbers`.
    """
    if not observers:
        raise UsageError(f"{what}: none given; a name and {stimuli} numbers for each are asked")
    return np.stack([numbers(v, f"{what} {name}", stimuli=stimuli) for name, v in observers.items()], axis=1)


def labels(values: ArrayLike, classes: int, what: str, *, stimuli: int) -> Ints:
    """``(N,)`` int64 from 0 to K - 1.

    Raises:
        UsageError: another shape.
        DataError: labels that are no class: how many, and the first.
    """
    array = numbers(values, what, stimuli=stimuli)
    allowed = np.isin(array, np.arange(classes))
    _refuse(~allowed, array, what, f"no class 0 to {classes - 1}")
    return array.astype(np.int64)


def counts(votes: ArrayLike, what: str, *, stimuli: int | None = None) -> Floats:
    """``(N, K)`` votes: 0 or more, at least one for each stimulus, two or more classes.

    Raises:
        UsageError: another shape.
        DataError: negative or missing votes, stimuli without one: how many, and the first.
    """
    array = np.asarray(votes, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 2 or (stimuli is not None and len(array) != stimuli):
        rows = "N" if stimuli is None else stimuli
        raise UsageError(f"{what}: shape {array.shape}; ({rows}, K) with two or more classes is asked")
    _refuse(~(np.isfinite(array) & (array >= 0)).all(axis=1), array, what, "not finite numbers from 0 on")
    _refuse(array.sum(axis=1) == 0, array, what, "without a single vote; leave these stimuli out")
    return array


def votes(values: ArrayLike, what: str, *, stimuli: int | None = None) -> Floats:
    """As :func:`counts`, of whole numbers.

    Raises:
        DataError: shares instead of votes, too: how many, and the first.
    """
    array = counts(values, what, stimuli=stimuli)
    _refuse((array != np.rint(array)).any(axis=1), array, what, "no whole numbers; votes are asked, not their shares")
    return array


def probabilities(values: ArrayLike, what: str, *, shape: tuple[int, int]) -> Floats:
    """``(N, K)`` probabilities whose rows sum to 1 within 1e-3, then exactly.

    Raises:
        UsageError: another shape.
        DataError: rows that are no distribution: how many, and the first.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise UsageError(f"{what}: shape {array.shape}; one row of {shape[1]} for each of {shape[0]} stimuli is asked")
    right: NDArray[np.bool_] = (np.isfinite(array) & (array >= 0)).all(axis=1) & (np.abs(array.sum(axis=1) - 1) < 1e-3)
    _refuse(~right, array, what, "no distribution; probabilities of 0 or more that sum to 1 are asked, not logits")
    return np.asarray(array / array.sum(axis=1, keepdims=True))


def _refuse(wrong: ArrayLike, values: Floats, what: str, why: str) -> None:
    wrong = np.asarray(wrong)
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = where[0] if len(where) == 1 else where
        found = np.array2string(values[where], precision=4, separator=", ")
        raise DataError(f"{what}: {int(wrong.sum())} of {wrong.size} {why}; the first is {found} at index {place}")
