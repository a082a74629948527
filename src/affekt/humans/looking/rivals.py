"""Rivals: maps that know nothing of the picture - a centre bias, and the network's maps of other pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affekt.errors import UsageError
from affekt.randomness import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPREAD = 0.25
"""Standard deviation of the centre bias, as a share of the picture's side."""

OTHERS = 10
"""Other pictures whose maps are held against each picture."""


def centre_bias(height: int, width: int, spread: float = SPREAD) -> Floats:
    """``(H, W)``, sums to 1: a Gaussian in the middle, stretched to the picture, of ``spread`` of each side.

    Raises:
        UsageError: a spread of 0 or less.
    """
    if not spread > 0:
        raise UsageError(f"spread = {spread}: a share of the side above 0 is asked, such as {SPREAD}")
    rows, columns = (np.exp(-(((np.arange(n) + 0.5) / n - 0.5) ** 2) / (2 * spread**2)) for n in (height, width))
    bias = np.outer(rows, columns)
    return np.asarray(bias / bias.sum())


def other_pictures(n: int, seed: int) -> list[Ints]:
    """Up to :data:`OTHERS` times the index of another picture for each of n, each picture's as often as any other's."""
    order = generator("other pictures", seed).permutation(n)
    found = []
    for shift in range(1, min(OTHERS, n - 1) + 1):
        other = np.empty(n, dtype=np.int64)
        other[order] = np.roll(order, -shift)
        found.append(other)
    return found
