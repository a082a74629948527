"""Bootstrap over stimuli: one draw of stimuli, or of whole groups of them, for all models and measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
_CELLS = 2_000_000  # numbers of a chunk's widest table: a dozen such tables, 16 MB each, are in memory at once


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """R draws of N stimuli, made by :func:`bootstrap`; the draws are made again, the same, each time they are needed.

    Attributes:
        stimuli: N.
        units: G, how many are drawn, with replacement, from as many: stimuli, or groups of them.
        unit: ``(N,)`` from 0 to G - 1, the unit of each stimulus.
        resamples: R.
        seed: of the draws.
    """

    stimuli: int
    units: int
    unit: Ints
    resamples: int
    seed: int

    def weights(self, width: int = 0) -> Iterator[Floats]:
        """Chunks ``(r, N)`` of the ``(R, N)`` weights: how often each stimulus stands in each resample.

        Args:
            width: how many numbers the caller makes for each resample, where that is more than N: chunks are shorter.
                The draws do not depend on it.
        """
        rng = np.random.default_rng(self.seed)
        chunk = max(1, _CELLS // max(self.stimuli, width))
        alone = self.units == self.stimuli and np.array_equal(self.unit, np.arange(self.stimuli))
        for start in range(0, self.resamples, chunk):
            rows = min(chunk, self.resamples - start)
            # Drawn and counted: the multinomial's own method takes a binomial for each cell, ten times the time.
            drawn = rng.integers(self.units, size=(rows, self.units)) + np.arange(rows)[:, None] * self.units
            times = np.bincount(drawn.ravel(), minlength=rows * self.units).reshape(rows, self.units)
            yield (times if alone else times[:, self.unit]).astype(np.float64)

    def __call__(self, statistic: Callable[[Floats], Floats], width: int = 0) -> Floats:
        """``(1 + R, ...)``: a statistic of the stimuli as they are, then of each resample.

        Args:
            statistic: ``(r, N)`` weights -> ``(r, ...)``, NaN where it is undefined.
            width: as of :meth:`weights`.
        """
        found = [statistic(np.ones((1, self.stimuli)))]
        found += [statistic(weights) for weights in self.weights(width)]
        return np.concatenate(found)


def bootstrap(stimuli: int, *, groups: ArrayLike | None = None, resamples: int = RESAMPLES, seed: int = 0) -> Bootstrap:
    """The bootstrap that all measures of one comparison share.

    Args:
        stimuli: N.
        groups: ``(N,)`` what is drawn as a whole (the theme of a picture, the face's owner); None: single stimuli.
            Stimuli of one group resemble each other, and intervals from single draws of them would be too narrow.
        resamples: R.
        seed: of the draws; the same seed draws the same stimuli for every model and measure.

    Raises:
        UsageError: fewer than two stimuli or groups, groups of another length, no resamples.
    """
    if resamples < 1:
        raise UsageError(f"bootstrap: resamples = {resamples}; 1 or more are asked, 1000 for an interval")
    unit: Ints = np.arange(stimuli, dtype=np.int64)
    if groups is not None:
        labels = np.asarray(groups)
        if labels.shape != (stimuli,):
            raise UsageError(f"bootstrap: groups of shape {labels.shape} for {stimuli} stimuli; one for each is asked")
        unit = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    units = int(unit.max()) + 1 if len(unit) else 0
    if units < 2:
        what = "stimuli" if groups is None else "groups of stimuli"
        raise UsageError(f"bootstrap: {units} {what}; nothing follows from fewer than two about others")
    return Bootstrap(stimuli=stimuli, units=units, unit=unit, resamples=resamples, seed=seed)
