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
        step: what one item more or less can change the mean score by: 1 / N, and more of a mean over classes.
    """

    seeds: tuple[int, ...]
    mean: Floats
    draws: Floats
    items: int
    groups: int
    effective: float
    step: float

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
            step=self.step,
        )


def resample(
    scores: Mapping[str, Mapping[int, ArrayLike]],
    *,
    groups: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Resampled]:
    """Bootstrap the test items, *once* for all seeds and conditions.

    Args:
        scores: condition -> seed -> ``(N,)`` score of each item (1.0 and 0.0 for right and wrong, a loss, ...), the
            items of all in the same order.
        groups: ``(N,)`` what is drawn as a whole (speakers, themes); None: single items. A draw of groups of different
            sizes has the mean over its items.
        classes: ``(N,)`` int, the class of each item: scores are then means over the classes of the mean over the items
            of each - of right and wrong answers the unweighted average recall - anew in each draw, over the classes
            that a draw has. None: means over all items alike.
        draws: B.
        seed: of the draws.

    Raises:
        UsageError: nothing to draw from or one group alone, arrays of different lengths, numbers that are not finite.
    """
    names = [(condition, run) for condition, runs in scores.items() for run in runs]
    if not names:
        raise UsageError("resample: no scores")
    table = np.stack([_finite(scores[c][s], f"{c}, seed {s}") for c, s in names], axis=1)  # (N, all runs)
    totals, sizes = _by_group(table, groups, classes)
    count = len(sizes)
    if count < 2:
        raise UsageError("resample: all items are one group; nothing follows from it about others")
    rng = np.random.default_rng(seed)
    means = np.empty((draws, len(names)))
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        times = rng.multinomial(count, np.full(count, 1 / count), size=size).astype(np.float64)
        means[start : start + size] = _mean(times, totals, sizes)
    whole = table.mean(axis=0) if classes is None else _mean(np.ones((1, count)), totals, sizes)[0]
    items = sizes.sum(axis=1)
    found: dict[str, Resampled] = {}
    for condition, runs in scores.items():
        columns = [names.index((condition, run)) for run in runs]
        found[condition] = Resampled(
            seeds=tuple(runs),
            mean=whole[columns],
            draws=means[:, columns],
            items=len(table),
            groups=count,
            effective=float(items.sum() ** 2 / np.square(items).sum()),
            step=1 / float(sizes.shape[1] * sizes.sum(axis=0).min()),
        )
    return found


def _finite(values: ArrayLike, what: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise UsageError(f"resample: {what}: shape {array.shape}; one score for each of N items is asked")
    if not np.isfinite(array).all():
        raise UsageError(f"resample: {what}: {(~np.isfinite(array)).sum()} of {len(array)} scores are not finite")
    return array


def _mean(times: Floats, totals: Floats, sizes: Floats) -> Floats:
    """``(B, runs)`` mean scores of draws that hold each group so many times, ``(B, G)``: over the classes they have."""
    count = times @ sizes  # (B, K)
    there = count > 0
    sums = np.tensordot(times, totals, axes=1)  # (B, K, runs)
    each = sums / np.where(there, count, 1)[:, :, None]
    found: Floats = each.sum(axis=1) / there.sum(axis=1)[:, None]
    return found


def _by_group(table: Floats, groups: ArrayLike | None, classes: ArrayLike | None) -> tuple[Floats, Floats]:
    """``(G, K, runs)`` sums and ``(G, K)`` sizes; one class where none are given."""
    group, of_group = _numbered("groups", np.arange(len(table)) if groups is None else groups, len(table))
    kind, of_class = _numbered("classes", np.zeros(len(table)) if classes is None else classes, len(table))
    totals, sizes = np.zeros((group, kind, table.shape[1])), np.zeros((group, kind))
    np.add.at(totals, (of_group, of_class), table)
    np.add.at(sizes, (of_group, of_class), 1.0)
    return totals, sizes


def _numbered(what: str, labels: ArrayLike, n: int) -> tuple[int, NDArray[np.int64]]:
    """The number of different labels, and ``(N,)`` which of them each item has."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise UsageError(f"resample: {what} of shape {array.shape} for {n} items")
    found, index = np.unique(array, return_inverse=True)
    return len(found), index.astype(np.int64)
