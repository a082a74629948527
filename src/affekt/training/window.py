"""Window: losses and weights of the steps since the last log line, kept on the device and read once.

Reading a loss makes a GPU's host wait for it, so a step only writes its row here. The rows also say which step was the
first to become NaN or infinite, though that is asked for later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from affekt.errors import CheckpointError
from affekt.training.distributed import total

NORM = "gradient_norm"
WEIGHT = "weight of "
"""What the column of a loss's weight begins with."""


@dataclass(frozen=True)
class Fault:
    """The first value that is no number: of which row (from 0, since the window began), which name, which value."""

    row: int
    name: str
    value: float


class Window:
    """Rows of named numbers, one a step.

    ``names`` are the losses; ``"loss"`` (their weighted total), the weights of those in ``weighted`` and, with
    clipping, ``"gradient_norm"`` follow. Losses and weights are each process's share of the global mean, so that their
    sum over the processes is that mean; the norm is the same on all.
    """

    def __init__(
        self,
        names: Sequence[str],
        length: int,
        device: torch.device,
        *,
        with_norm: bool,
        weighted: Sequence[str] = (),
    ) -> None:
        self.losses = (*names, "loss")
        self.weighted = tuple(weighted)
        self.columns = (*self.losses, *(WEIGHT + name for name in weighted), *((NORM,) if with_norm else ()))
        self._summed = len(self.losses) + len(self.weighted)
        self._rows = torch.zeros(length, len(self.columns), device=device)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        return self._length == len(self._rows)

    def add(self, losses: Tensor, norm: Tensor | None = None) -> None:
        """One step: losses, total and weights in one vector, and the gradient norm."""
        row = self._rows[self._length]
        row[: self._summed] = losses
        if norm is not None:
            row[self._summed] = norm
        self._length += 1

    def read(self) -> Tensor:
        """``(steps, columns)`` float32 on the CPU, summed over the processes; all of them must ask together."""
        rows = self._rows[: self._length].clone()
        summed = total(rows[:, : self._summed].contiguous())
        return torch.cat([summed, rows[:, self._summed :]], dim=1).cpu()

    def losses_of(self, rows: Tensor) -> Tensor:
        """``(steps, len(weighted))`` of what :meth:`read` gave: the losses that have weights."""
        return rows[:, [self.losses.index(name) for name in self.weighted]]

    def weights_of(self, rows: Tensor) -> Tensor:
        """``(steps, len(weighted))`` of what :meth:`read` gave."""
        return rows[:, len(self.losses) : self._summed]

    def clear(self) -> None:
        """Begin again."""
        self._length = 0

    def load(self, rows: Sequence[Sequence[float]], *, empty: bool = False) -> None:
        """Go on from the rows that :meth:`read` gave (as a list: float32 are exact decimals).

        They hold what all processes had added up to, so one process takes them and the others are ``empty``.

        Raises:
            CheckpointError: rows with other columns.
        """
        if rows and len(rows[0]) != len(self.columns):
            raise CheckpointError(
                f"log lines of {len(rows[0])} columns in the checkpoint, {len(self.columns)} here: it is of another "
                "version of affekt; use that one to go on"
            )
        self._length = len(rows)
        if rows:
            self._rows[: len(rows)] = 0 if empty else torch.tensor(rows)

    def fault(self, rows: Tensor) -> Fault | None:
        """The first value of ``rows`` (from :meth:`read`) that is NaN or infinite."""
        wrong = ~torch.isfinite(rows)
        if not wrong.any():
            return None
        row, column = (int(i) for i in torch.nonzero(wrong)[0])
        return Fault(row, self.columns[column], float(rows[row, column]))
