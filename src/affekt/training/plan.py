"""Plan: which items each optimiser step sees - a pure function of (seed, step), whoever asks and whenever."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from affekt.data.stimuli import Ints
from affekt.randomness import permutation

_cached_permutation = lru_cache(maxsize=4)(permutation)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps of a run; steps and epochs count from 0 here.

    An epoch is one permutation of the training items cut into batches. What is left over at its end is dropped where
    the set has at least one full batch (the next epoch draws another order, so no item is left out for good);
    a smaller set is one batch an epoch.

    Attributes:
        items: number N of training items.
        batch_size: items a step, over all processes.
        epochs: passes over the items.
        seed: of the orders.
        held_out: number of items of the held-out companion; 0: none.
    """

    items: int
    batch_size: int
    epochs: int
    seed: int
    held_out: int = 0

    @property
    def steps_per_epoch(self) -> int:
        return max(1, self.items // self.batch_size)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def epoch(self, step: int) -> int:
        """The epoch of a step."""
        return step // self.steps_per_epoch

    def batch(self, step: int) -> Ints:
        """``(B,)`` int64: the training items of a step, of all processes together."""
        epoch, within = divmod(step, self.steps_per_epoch)
        order = _cached_permutation(self.items, seed=self.seed, epoch=epoch)
        return order[within * self.batch_size : (within + 1) * self.batch_size]

    def held_out_cycle(self, step: int) -> int:
        """How often the held-out items were gone through before this step."""
        return step * len(self.batch(step)) // self.held_out

    def held_out_batch(self, step: int) -> Ints:
        """``(B,)`` int64: held-out items of a step, as many as training items.

        One permutation of the held-out items follows another without end; step s takes its B from there.
        """
        size = len(self.batch(step))
        cycles, within = np.divmod(np.arange(step * size, (step + 1) * size), self.held_out)
        return np.array([self._held_out_order(int(c))[w] for c, w in zip(cycles, within, strict=True)], dtype=np.int64)

    def _held_out_order(self, cycle: int) -> Ints:
        return _cached_permutation(self.held_out, seed=self.seed, epoch=cycle, name="held-out")


def share(items: Ints, *, rank: int, world: int) -> Ints:
    """The part of a global batch for process ``rank`` of ``world``: contiguous, sizes differ by one at most."""
    return np.array_split(items, world)[rank]
