"""Resampling: per-item scores of several seeds, and what their means would be over other draws of the test items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError

Floats = NDArray[np.float64]

DRAWS = 2000
_CHUNK = 100  # draws of items that are in memory at once


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """One condition's scores of S seeds on the same N items, and B draws of these items.

    Attributes:
        seeds: the S seeds.
        mean: ``(S,)`` mean score of each seed over the items.
        draws: ``(B, S)`` the same over each draw of items; draw b is of the same items for every seed and condition.
        items: N.
        groups: G, units that are drawn together; N where every item stands alone.
        effective: groups of equal size that would say as much, (sum n)^2 / sum n^2 (Kish 1965); G where all are alike.
    """

    seeds: tuple[int, ...]
    mean: Floats
    draws: Floats
    items: int
    groups: int
    effective: float

    def of(self, seeds: Sequence[int]) -> Resampled:
        """Some of the seeds, in the order given.

        Raises:
            UsageError: one that is not there.
        """
        absent = [seed for seed in seeds if seed not in self.seeds]
        if absent:
            raise UsageError(f"seed {absent[0]}: not among {', '.join(map(str, self.seeds))}")
        columns = [self.seeds.index(seed) for seed in seeds]
        return Resampled(
            seeds=tuple(seeds),
            mean=self.mean[columns],
            draws=self.draws[:, columns],
            items=self.items,
            groups=self.groups,
            effective=self.effective,
        )


def resample(
    scores: Mapping[str, Mapping[int, ArrayLike]],
    *,
    groups: ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Resampled]:
    """Bootstrap the test items, *once* for all seeds and conditions.

    Args:
        scores: condition -> seed -> ``(N,)`` score of each item (1.0 and 0.0 for right and wrong, a loss, ...), the
            items of all in the same order.
        groups: ``(N,)`` what is drawn as a whole (speakers, themes); None: single items. A draw of groups of different
            sizes has the mean over its items.
        draws: B.
        seed: of the draws.

    Raises:
        UsageError: nothing to draw from or one group alone, arrays of different lengths, numbers that are not finite.
    """
    names = [(condition, run) for condition, runs in scores.items() for run in runs]
    if not names:
        raise UsageError("resample: no scores")
    table = np.stack([_finite(scores[c][s], f"{c}, seed {s}") for c, s in names], axis=1)  # (N, all runs)
    totals, sizes = _by_group(table, groups)
    count = len(sizes)
    if count < 2:
        raise UsageError("resample: all items are one group; nothing follows from it about others")
    rng = np.random.default_rng(seed)
    means = np.empty((draws, len(names)))
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        times = rng.multinomial(count, np.full(count, 1 / count), size=size).astype(np.float64)
        means[start : start + size] = (times @ totals) / (times @ sizes)[:, None]
    found: dict[str, Resampled] = {}
    for condition, runs in scores.items():
        columns = [names.index((condition, run)) for run in runs]
        found[condition] = Resampled(
            seeds=tuple(runs),
            mean=table[:, columns].mean(axis=0),
            draws=means[:, columns],
            items=len(table),
            groups=count,
            effective=float(sizes.sum() ** 2 / np.square(sizes).sum()),
        )
    return found


def _finite(values: ArrayLike, what: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise UsageError(f"resample: {what}: shape {array.shape}; one score for each of N items is asked")
    if not np.isfinite(array).all():
        raise UsageError(f"resample: {what}: {(~np.isfinite(array)).sum()} of {len(array)} scores are not finite")
    return array


def _by_group(table: Floats, groups: ArrayLike | None) -> tuple[Floats, Floats]:
    """``(G, runs)`` sums and ``(G,)`` sizes."""
    if groups is None:
        return table, np.ones(len(table))
    labels = np.asarray(groups)
    if labels.shape != (len(table),):
        raise UsageError(f"resample: groups of shape {labels.shape} for {len(table)} items")
    found, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    totals = np.zeros((len(found), table.shape[1]))
    np.add.at(totals, index, table)
    return totals, sizes.astype(np.float64)
