"""Resampling: sound at another rate by a polyphase filter that lets nothing above the lower Nyquist frequency through.

The filter is a Kaiser-windowed sinc of 64 zero crossings a side (beta 9): flat within 0.01 dB up to 0.9 of the Nyquist
frequency of the lower rate, 90 dB down at it (Kaiser 1974; Crochiere and Rabiner 1983, section 4.3).
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.data.audiovisual.clips import Floats32
from affekt.errors import DataError

CROSSINGS = 64
"""Zero crossings of the filter on each side: its reach, in samples of the lower rate."""

_BETA = 9.0
_CUTOFF = 0.955  # of the lower Nyquist frequency; half the transition band of this length and beta lies on each side
_LARGEST = 200_000


def ratio(rate: int, target: int) -> tuple[int, int]:
    """``(up, down)`` without a common factor, ``target / rate = up / down``.

    Raises:
        DataError: two rates so nearly without a common factor that the filter would be absurdly long.
    """
    factor = gcd(rate, target)
    up, down = target // factor, rate // factor
    if max(up, down) > _LARGEST:
        raise DataError(f"{rate:,} Hz cannot be brought to {target:,} Hz exactly; convert it to a usual rate first")
    return up, down


def resample(samples: Floats32, rate: int, target: int) -> Floats32:
    """``(S,)`` at ``rate`` Hz -> ``(ceil(S * target / rate),)`` at ``target`` Hz; sample 0 stays at time 0.

    Outside its ends the sound is taken to be zero. Values may pass the largest of the input by a little.

    Raises:
        DataError: rates that :func:`ratio` refuses.
    """
    if rate == target or not len(samples):
        return samples
    from scipy.signal import resample_poly

    up, down = ratio(rate, target)
    taps: Any = _filter(max(up, down))  # an array of taps is what SciPy documents and its types do not know
    out: Floats32 = resample_poly(samples, up, down, window=taps).astype(np.float32)
    return out


@lru_cache(maxsize=8)
def _filter(factor: int) -> NDArray[np.float32]:
    """``(2 * CROSSINGS * factor + 1,)`` taps of gain one at frequency 0, for a step of ``factor``."""
    from scipy.signal import firwin

    taps: NDArray[np.float32] = firwin(
        2 * CROSSINGS * factor + 1, _CUTOFF / factor, window=("kaiser", _BETA), scale=True
    ).astype(np.float32)
    return taps
