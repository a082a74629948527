"""Descent: from a batch in parts to gradients on the parameters - by one scalar, or by each task's own gradients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.recipe.writing import toml_text
from affekt.training.compiling import begin_step, own_gradients
from affekt.training.distributed import Processes, replicated, share_buffers, share_parameters, total
from affekt.training.objective import Objective
from affekt.training.precision import autocast
from affekt.training.task import Batch
from affekt.weighting import GradientWeighting


class Descent(Protocol):
    """Makes the gradients of a step."""

    def step(self, parts: Sequence[Batch], size: int) -> Tensor:
        """Gradients of a batch of ``size`` items over all processes, this process's in ``parts``, added to ``.grad``.

        Returns:
            This process's share of the named losses, of their total, and of the weights.
        """


class ByScalar:
    """One ``backward`` a part; DDP averages the gradients over the processes, in the last part alone."""

    def __init__(
        self,
        objective: Objective,
        *,
        device: torch.device,
        precision: str,
        processes: Processes,
        graphs: bool = False,
    ) -> None:
        # DDP copies process 0's weights when it is made: that must be after a checkpoint was read.
        self._network = replicated(objective)
        self._device, self._precision, self._world = device, precision, processes.world
        self._graphs = graphs

    def step(self, parts: Sequence[Batch], size: int) -> Tensor:
        row: Tensor | None = None
        for i, part in enumerate(parts):
            share = len(part) / size
            if self._graphs:
                if i == 1:  # what further parts give is added in place
                    own_gradients(self._network.parameters())
                begin_step()
            with _unsynchronised(self._network, i < len(parts) - 1):
                with autocast(self._device, self._precision):
                    scalar, found = self._network(part)
                # DDP averages over the processes, hence the factor.
                (scalar * (share * self._world) if share * self._world != 1 else scalar).backward()
            row = found * share if row is None else row + found * share
        assert row is not None
        return row


class ByTask:
    """Each task's gradient by itself, added up over parts and processes; then the rule says the direction."""

    def __init__(
        self,
        objective: Objective,
        rule: GradientWeighting,
        parameters: Sequence[nn.Parameter],
        *,
        device: torch.device,
        precision: str,
        processes: Processes,
    ) -> None:
        # Without DDP, whose hooks see one backward and no tasks.
        share_parameters(objective)
        share_buffers(objective)
        self._objective, self._rule, self._parameters = objective, rule, parameters
        self._device, self._precision, self._world = device, precision, processes.world

    def step(self, parts: Sequence[Batch], size: int) -> Tensor:
        self._rule.forget()
        row: Tensor | None = None
        for part in parts:
            share = len(part) / size
            with autocast(self._device, self._precision):
                losses, found = self._objective.by_task(part)
            self._rule.collect(losses, self._parameters, share)
            row = found * share if row is None else row + found * share
        assert row is not None
        weights = self._rule.settle(total)
        if weights is None:
            return row
        # The same on all processes, and what they give is added up.
        return torch.cat([row, self._objective.in_order(weights).float() / self._world])


def refuse_compiled(how: bool | str, weighting: nn.Module | None, *, gradient_cosine: bool) -> None:
    """Refuse to ask a compiled model for the gradients of single tasks: its graph has one way back, which can be gone
    once, with zeros for what a task does not reach.

    Raises:
        UsageError: somebody asks.
    """
    what = "gradient_cosine = true" if gradient_cosine else ""
    if isinstance(weighting, GradientWeighting):
        what = f'weighting "{weighting.name}"'
    if what:
        raise UsageError(
            f"[training] compile = {toml_text(how)}: {what} asks for the gradient of each task, which a compiled model "
            "cannot tell apart; set compile = false"
        )


def _unsynchronised(network: nn.Module, apply: bool) -> AbstractContextManager[None]:
    """Gradients of all but the last part stay in this process: one exchange a step."""
    if apply and isinstance(network, nn.parallel.DistributedDataParallel):
        return network.no_sync()
    return nullcontext()
