"""Resampling: sound at another rate by a polyphase filter that lets nothing above the lower Nyquist frequency through.

The filter is a Kaiser-windowed sinc of 64 zero crossings a side (beta 9): flat within 0.001 dB up to 0.9 of the Nyquist
frequency of the lower rate, 90 dB down at it (Kaiser 1974; Crochiere and Rabiner 1983, section 4.3). It is what
``scipy.signal.resample_poly`` does with these taps; for rates with a common factor as a product of matrices, which is
ten times as fast.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Floats32
from affekt.errors import DataError, UsageError

CROSSINGS = 64
"""Zero crossings of the filter on each side: its reach, in samples of the lower rate."""

_BETA = 9.0
_CUTOFF = 0.955  # of the lower Nyquist frequency; half the transition band of this length and beta lies on each side
_LARGEST = 200_000
_MATRIX = 2**21  # weights: 8 MB
_BLOCK = 64  # samples that are computed by one row at least
_AT_ONCE = 2**22  # samples that are laid out for a product: 16 MB


def ratio(rate: int, target: int) -> tuple[int, int]:
    """``(up, down)`` without a common factor, ``target / rate = up / down``.

    Raises:
        UsageError: a rate that is no whole number above 0.
        DataError: two rates so nearly without a common factor that the filter would be absurdly long.
    """
    for asked in (rate, target):
        if not isinstance(asked, int | np.integer) or asked < 1:
            raise UsageError(f"rate = {asked}: write a whole number of samples a second, e.g. 16000")
    factor = gcd(rate, target)
    up, down = target // factor, rate // factor
    if max(up, down) > _LARGEST:
        raise DataError(f"{rate:,} Hz cannot be brought to {target:,} Hz exactly; convert it to a usual rate first")
    return up, down


def resample(samples: Floats32, rate: int, target: int) -> Floats32:
    """``(S,)`` at ``rate`` Hz -> ``(ceil(S * target / rate),)`` at ``target`` Hz; sample 0 stays at time 0.

    Outside its ends the sound is taken to be zero. Values may pass the largest of the input by a little.

    Raises:
        UsageError, DataError: sound of several channels, rates that :func:`ratio` refuses.
    """
    if samples.ndim != 1:
        raise UsageError(f"samples of shape {samples.shape}: give one channel, (S,), at a time")
    if rate == target or not len(samples):
        return samples
    up, down = ratio(rate, target)
    if up * (down + 2 * _reach(up, down)) <= _MATRIX:
        return by_matrix(samples, up, down)
    return by_scipy(samples, up, down)


def by_scipy(samples: Floats32, up: int, down: int) -> Floats32:
    """Resampled by SciPy's polyphase filter."""
    from scipy.signal import resample_poly

    taps: Any = _filter(max(up, down))  # an array of taps is what SciPy documents and its types do not know
    out: Floats32 = resample_poly(samples, up, down, window=taps).astype(np.float32)
    return out


def by_matrix(samples: Floats32, up: int, down: int) -> Floats32:
    """Resampled as a product: a row for each ``inputs`` samples and what surrounds them, times the filter's phases."""
    weights, inputs, reach = _weights(up, down)
    width, outputs = weights.shape
    length = ceil(len(samples) * up / down)
    blocks = ceil(length / outputs)
    padded = np.zeros((blocks - 1) * inputs + width, dtype=np.float32)
    end = min(len(samples), len(padded) - reach)
    padded[reach : reach + end] = samples[:end]
    rows = sliding_window_view(padded, width)[::inputs]
    out = np.empty((blocks, outputs), dtype=np.float32)
    step = max(1, _AT_ONCE // width)
    for start in range(0, blocks, step):
        # A copy: rows that overlap in memory are no matrix to BLAS.
        out[start : start + step] = np.ascontiguousarray(rows[start : start + step]) @ weights
    return out.reshape(-1)[:length]


def _reach(up: int, down: int) -> int:
    """Input samples on each side that an output sample depends on."""
    return ceil(CROSSINGS * max(up, down) / up)


@lru_cache(maxsize=8)
def _weights(up: int, down: int) -> tuple[Floats32, int, int]:
    """``(weights, inputs, reach)``: ``weights[r, j]`` of input ``r - reach`` in output j of a block.

    A block is ``inputs`` samples, a multiple of ``down``, which become as many multiples of ``up``:
    ``out[j] = sum over i of x[i] * up * taps[j * down - i * up + half]``.
    """
    periods = max(1, round(_BLOCK / up))
    inputs, outputs, reach = periods * down, periods * up, _reach(up, down)
    half = CROSSINGS * max(up, down)
    place = np.arange(outputs) * down - (np.arange(inputs + 2 * reach)[:, None] - reach) * up + half
    inside = (place >= 0) & (place <= 2 * half)
    weights = np.where(inside, _filter(max(up, down))[np.clip(place, 0, 2 * half)], 0)
    return np.ascontiguousarray(up * weights, dtype=np.float32), inputs, reach


@lru_cache(maxsize=8)
def _filter(factor: int) -> NDArray[np.float32]:
    """``(2 * CROSSINGS * factor + 1,)`` taps of gain one at frequency 0, for a step of ``factor``."""
    from scipy.signal import firwin

    taps: NDArray[np.float32] = firwin(
        2 * CROSSINGS * factor + 1, _CUTOFF / factor, window=("kaiser", _BETA), scale=True
    ).astype(np.float32)
    return taps
