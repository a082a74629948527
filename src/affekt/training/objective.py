"""Objective: a task and the weighting of its losses as one module, from a batch to what is descended on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.training.task import Batch, Task
from affekt.weighting import Weighting


class Objective(nn.Module):
    """A task and the weighting of its losses as one module, so that both have their gradients averaged together.

    Attributes:
        names: of the losses, in the task's order.
        rule: the weighting, if it is one of ours: a module of one's own from losses to a scalar is asked for nothing
            else.
        weighted: the losses whose weights a step gives; none with rules that cannot say them.
    """

    def __init__(self, task: Task, weighting: nn.Module | None) -> None:
        super().__init__()
        self.task = task
        self.weighting = weighting
        self.names = tuple(task.loss_names)

    @property
    def rule(self) -> Weighting | None:
        return self.weighting if isinstance(self.weighting, Weighting) else None

    @property
    def weighted(self) -> tuple[str, ...]:
        return self.names if self.rule is not None and self.rule.has_weights else ()

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The scalar to descend on, and detached: the named losses, that scalar, and the weights, in one vector."""
        losses = self.losses(batch)
        stacked = torch.stack([losses[name].float() for name in self.names])
        if self.rule is not None:
            scalar, weights = self.rule.weigh(losses)
            known = self.in_order(weights) if self.weighted else weights[:0]
            return scalar, self._row(stacked, scalar, known)
        scalar = stacked.sum() if self.weighting is None else self.weighting(losses)
        return scalar, self._row(stacked, scalar, stacked[:0])

    def by_task(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """The named losses, for a rule that weighs gradients; and detached: these and their sum in one vector."""
        losses = self.losses(batch)
        stacked = torch.stack([losses[name].detach().float() for name in self.names])
        return losses, self._row(stacked, stacked.sum(), stacked[:0])

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The task's losses, seen to be the ones that it promised.

        Raises:
            UsageError: they are not.
        """
        losses: dict[str, Tensor] = self.task(batch)
        if losses.keys() != set(self.names):
            found = ", ".join(losses) or "none"
            raise UsageError(f"{type(self.task).__name__}: losses {found}; loss_names says {', '.join(self.names)}")
        wrong = {name: tuple(loss.shape) for name, loss in losses.items() if loss.ndim}
        if wrong:
            name, shape = next(iter(wrong.items()))
            raise UsageError(f'{type(self.task).__name__}: loss "{name}" has shape {shape}; a scalar is asked')
        return losses

    def in_order(self, of_rule: Tensor) -> Tensor:
        """``(n,)`` in the rule's order of tasks -> in the order of ``names``."""
        return self._permuted(of_rule, self._rule_tasks(), self.names)

    def for_rule(self, of_names: Tensor) -> Tensor:
        """The way back."""
        return self._permuted(of_names, self.names, self._rule_tasks())

    def _rule_tasks(self) -> tuple[str, ...]:
        return self.names if self.rule is None else self.rule.tasks

    @staticmethod
    def _permuted(values: Tensor, of: tuple[str, ...], to: tuple[str, ...]) -> Tensor:
        return values if of == to else torch.stack([values[..., of.index(name)] for name in to], dim=-1)

    @staticmethod
    def _row(losses: Tensor, scalar: Tensor, weights: Tensor) -> Tensor:
        return torch.cat([losses.detach(), scalar.detach().float()[None], weights.detach().float()])
