"""Features read a block of columns at a time, so that no second copy of a large array is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError

Floats = NDArray[np.float64]

_NUMBERS = 1 << 23  # of a block in float64: 64 MiB


def matrix(values: ArrayLike, what: str) -> NDArray[Any]:
    """``(N, D)`` view of ``(N,)``, ``(N, D)`` or ``(N, C, H, W)`` numbers in the type they have.

    Raises:
        DataError: no stimuli, no features, or not numbers.
    """
    array = np.asarray(values)
    if array.ndim == 0 or not array.size:
        raise DataError(f"{what}: shape {array.shape}; (N, D) numbers, one row for each stimulus, are asked")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what}: {array.dtype}, not real numbers")
    return array.reshape(len(array), -1)


def columns(array: NDArray[Any], what: str) -> Iterator[Floats]:
    """Blocks of columns in float64, together ``(N, D)``.

    Raises:
        DataError: numbers that are not finite.
    """
    step = max(1, _NUMBERS // len(array))
    for start in range(0, array.shape[1], step):
        block = array[:, start : start + step].astype(np.float64)
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            raise DataError(f"{what}: {bad.sum()} of {len(array)} stimuli have numbers that are not finite")
        yield block
