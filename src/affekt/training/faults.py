"""Faults: what is said when a number became NaN or infinite - step, items, and the recipe line to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from affekt.data.stimuli import Strings
from affekt.errors import TrainingError, first
from affekt.recipe import TrainingSettings
from affekt.training.plan import Plan
from affekt.training.window import NORM, WEIGHT, Fault


def table_of(hint: str) -> str:
    """The recipe's table that a hint names: ``emotional.training`` of ``[emotional.training] learning_rate``."""
    return hint.partition("]")[0].removeprefix("[")


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Makes the errors of one training.

    Attributes:
        ids: split -> what its items are called.
        hint: the recipe line that holds the learning rate, e.g. ``[training] learning_rate``.
    """

    plan: Plan
    ids: Mapping[str, Strings]
    settings: TrainingSettings
    hint: str

    def of_loss(self, fault: Fault, step: int) -> TrainingError:
        """A loss, a weight of a loss or the gradient norm of ``step`` (from 0)."""
        return self._error(step, f"{_what(fault.name)} is {fault.value}")

    def of_weight(self, name: str, step: int) -> TrainingError:
        """A weight, broken by ``step`` (from 0) at the latest though its losses were sound."""
        return self._error(step, f"weight {name} became NaN or infinite")

    def of_memory(self, step: int, parts: int, fitting: int | None, device: torch.device) -> TrainingError:
        """A batch of ``step`` (from 0) in ``parts`` did not fit.

        Args:
            fitting: parts that did; 0: not even single items; None: nothing else was tried.
        """
        table, items = f"[{table_of(self.hint)}]", len(self.plan.batch(step))
        text = f"step {step + 1} (epoch {self.plan.epoch(step) + 1}): {_full(device)} with {_at_once(items, parts)}"
        if fitting == 0:
            return TrainingError(f"{text}; take a smaller network or smaller pictures")
        if fitting is None:
            return TrainingError(
                f"{text} over all processes; set {table} accumulate = {2 * parts} (the same batch in more parts), or a "
                "smaller batch_size"
            )
        size = -(-items // fitting)
        return TrainingError(
            f"{text}; {_at_once(items, fitting)} fit (tried): set {table} accumulate = {fitting} (the same batch in "
            f"parts), batch_size = {size}, or halve_when_full = true"
        )

    def _error(self, step: int, what: str) -> TrainingError:
        epoch = self.plan.epoch(step)
        return TrainingError(f"step {step + 1} (epoch {epoch + 1}): {what}; {self._items(step)}; {self._advice()}")

    def _items(self, step: int) -> str:
        text = f"items {first(self.ids['train'][self.plan.batch(step)])}"
        if self.plan.held_out:
            text += f"; held-out items {first(self.ids['held-out'][self.plan.held_out_batch(step)])}"
        return text

    def _advice(self) -> str:
        clip = "none" if self.settings.clip is None else f"{self.settings.clip:g}"
        return f"lower {self.hint} (here {self.settings.learning_rate:g}), or set clip (here {clip})"


def _at_once(items: int, parts: int) -> str:
    """The largest of the parts."""
    largest = -(-items // parts)
    return "1 item at once" if largest == 1 else f"{largest} items at once"


def _full(device: torch.device) -> str:
    """How full, where the device says so."""
    if device.type != "cuda":
        return f"the memory of {device} is full"
    free, whole = torch.cuda.mem_get_info(device)
    return f"the memory of {device} ({whole / 2**30:.1f} GiB, {free / 2**30:.1f} free without the batch) is full"


def _what(column: str) -> str:
    if column == NORM:
        return "gradient norm"
    return column if column.startswith(WEIGHT) else f'loss "{column}"'
