"""Halving: in how many parts batches are worked through, and what happens where memory is too small for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import torch

from affekt.recipe import TrainingSettings
from affekt.training.distributed import Processes
from affekt.training.engine import Engine
from affekt.training.faults import Faults
from affekt.training.feed import Feed
from affekt.training.full_memory import FullMemory, let_go
from affekt.training.task import Batch


@dataclass(kw_only=True)
class Halving:
    """The parts of a training's batches: those of ``accumulate``, and after each halving twice as many.

    What a step in two parts gives is what it had given if ``accumulate`` had said two: the batch is the same, and a
    step that did not fit has left nothing behind.

    Attributes:
        record: the halvings, each the ``step`` (from 1) from which on batches went through in so many ``parts``.
    """

    engine: Engine
    settings: TrainingSettings
    feed: Feed
    faults: Faults
    processes: Processes
    device: torch.device
    record: list[Mapping[str, int]] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return self.record[-1]["parts"] if self.record else self.settings.accumulate

    def load(self, record: Iterable[Mapping[str, int]]) -> None:
        """Go on from a checkpoint's record."""
        self.record = list(record)

    def batches(self, steps: range, parts: int | None = None) -> Iterator[list[Batch]]:
        """For each of ``steps`` (all of one epoch) this process's share of the batch, in ``parts``."""
        who = self.processes
        return self.feed.training(self.engine.plan, steps, rank=who.rank, world=who.world, parts=parts or self.parts)

    def halve(self, step: int) -> str:
        """Batches in twice as many parts from ``step`` (from 0) on, which did not fit; returns what to say of it.

        Raises:
            TrainingError: nobody allowed it (the batch that fits is named), or nothing is left to halve.
        """
        let_go(self.device)
        if self.processes.world > 1:  # the others wait for this one in the middle of their step
            raise self.faults.of_memory(step, self.parts, None, self.device)
        if not self.settings.halve_when_full:
            raise self.faults.of_memory(step, self.parts, self._found(step), self.device)
        parts = self._more(step, self.parts)
        self.record.append({"step": step + 1, "parts": parts})
        return f"memory is full at step {step + 1}: batches are worked through in {parts} parts from here on"

    def _more(self, step: int, parts: int) -> int:
        """
        Raises:
            TrainingError: a part is one item already.
        """
        items = len(self.engine.plan.batch(step))
        if parts >= items:
            raise self.faults.of_memory(step, parts, 0, self.device)
        return min(2 * parts, items)

    def _found(self, step: int) -> int:
        """The first number of parts in which the step fits, found by making it: this training is over anyway."""
        parts = self.parts
        while True:
            parts = self._more(step, parts)
            if self._fits(step, parts):
                return parts
            let_go(self.device)

    def _fits(self, step: int, parts: int) -> bool:
        batch = next(self.batches(range(step, step + 1), parts))
        try:
            for _ in range(2):  # the second time beside all that the optimiser keeps
                self.engine.step(batch, step)
        except FullMemory:
            return False
        return True
