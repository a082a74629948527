"""Groups of stimuli that are drawn as a whole: those of one theme, actor or source picture resemble each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError

Ints = NDArray[np.int64]


def grouped(groups: ArrayLike | None, stimuli: int, who: str) -> Ints:
    """``(N,)`` from 0 on: the unit that each stimulus is drawn with; itself where there are no groups.

    Raises:
        UsageError: groups of another length, one alone.
    """
    if groups is None:
        return np.arange(stimuli, dtype=np.int64)
    labels = np.asarray(groups)
    if labels.shape != (stimuli,):
        raise UsageError(f"{who}: groups of shape {labels.shape} for {stimuli} stimuli; one for each is asked")
    found, unit = np.unique(labels, return_inverse=True)
    if len(found) < 2:
        raise UsageError(f"{who}: all {stimuli} stimuli are of one group; nothing follows from it about others")
    return unit.astype(np.int64)
