"""Engine: one optimiser step - forward in the chosen precision, named losses to one, gradients in parts, clip, EMA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.randomness import torch_seed
from affekt.recipe import TrainingSettings
from affekt.training.distributed import Processes, replicated
from affekt.training.ema import Ema
from affekt.training.optimisation import create_optimiser, create_schedule, set_learning_rate, weighting_group
from affekt.training.plan import Plan
from affekt.training.precision import autocast
from affekt.training.state import load_module, load_optimiser, module_tensors, optimiser_tensors, parameter_names
from affekt.training.task import Batch, Task


class Objective(nn.Module):
    """A task and the weighting of its losses as one module, so that both have their gradients averaged together."""

    def __init__(self, task: Task, weighting: nn.Module | None) -> None:
        super().__init__()
        self.task = task
        self.weighting = weighting
        self.names = tuple(task.loss_names)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The scalar to descend on, and ``(n + 1,)`` detached: the named losses and that scalar."""
        losses = self.task(batch)
        if losses.keys() != set(self.names):
            found = ", ".join(losses) or "none"
            raise UsageError(f"{type(self.task).__name__}: losses {found}; loss_names says {', '.join(self.names)}")
        wrong = {name: tuple(loss.shape) for name, loss in losses.items() if loss.ndim}
        if wrong:
            name, shape = next(iter(wrong.items()))
            raise UsageError(f'{type(self.task).__name__}: loss "{name}" has shape {shape}; a scalar is asked')
        stacked = torch.stack([losses[name].float() for name in self.names])
        scalar: Tensor = stacked.sum() if self.weighting is None else self.weighting(losses)
        return scalar, torch.cat([stacked.detach(), scalar.detach().float()[None]])


class Engine:
    """Makes optimiser steps; knows where the learning rate is, and how to be saved.

    With ``accumulate`` parts, and with several processes, each part's loss counts by its share of the global batch, so
    that the gradients are those of the whole batch for losses that are means over items. (Not so, and by nature: batch
    normalisation, losses on a batch's own statistics such as the CCC, means over the known labels of a part, and
    weightings that are not linear in the losses.)
    """

    def __init__(
        self,
        objective: Objective,
        settings: TrainingSettings,
        plan: Plan,
        *,
        device: torch.device,
        precision: str,
        processes: Processes,
        weighting_learning_rate: float | None = None,
    ) -> None:
        """
        Raises:
            UsageError: nothing to train.
        """
        self.objective = objective
        self.plan = plan
        self._settings = settings
        self._device, self._precision, self._processes = device, precision, processes
        rate = settings.learning_rate if weighting_learning_rate is None else weighting_learning_rate
        groups = objective.task.parameter_groups(settings.learning_rate, settings.weight_decay)
        groups = [*groups, *weighting_group(objective.weighting, rate)]
        self.optimiser = create_optimiser(settings, groups, device)
        self.schedule = create_schedule(settings, steps=plan.steps, steps_per_epoch=plan.steps_per_epoch)
        self.learned: list[nn.Parameter] = [p for group in self.optimiser.param_groups for p in group["params"]]
        self._names = parameter_names(objective, self.optimiser)
        self.ema = None if settings.ema is None else Ema(objective.task, settings.ema)
        self._network: nn.Module | None = None

    @property
    def with_norm(self) -> bool:
        """Whether steps give a gradient norm."""
        return self._settings.clip is not None

    def learning_rate(self, step: int) -> float:
        """The scheduled rate of a step, of groups without a rate of their own."""
        return self._settings.learning_rate * self.schedule(step)

    def step(self, parts: Sequence[Batch], step: int) -> tuple[Tensor, Tensor | None]:
        """One optimiser step on a batch in ``parts``.

        Returns:
            ``(n + 1,)`` this process's share of the losses and their weighted total; the gradient norm, with ``clip``.
        """
        # Here and not before: DDP copies process 0's weights when it is made, after a checkpoint was read.
        network = self._network = self._network or replicated(self.objective)
        set_learning_rate(self.optimiser, self.schedule(step))
        self.optimiser.zero_grad(set_to_none=True)
        size = len(self.plan.batch(step))
        rank, world = self._processes.rank, self._processes.world
        row: Tensor | None = None
        with torch_seed("step", self.plan.seed, step, rank):
            for i, part in enumerate(parts):
                share = len(part) / size
                with _unsynchronised(network, i < len(parts) - 1):
                    with autocast(self._device, self._precision):
                        scalar, losses = network(part)
                    # DDP averages over the processes, hence the factor.
                    (scalar * (share * world) if share * world != 1 else scalar).backward()
                row = losses * share if row is None else row + losses * share
        assert row is not None
        norm = self._clip()
        self.optimiser.step()
        if self.ema is not None:
            self.ema.update()
        return row, norm

    def _clip(self) -> Tensor | None:
        if self._settings.clip is None:
            return None
        return nn.utils.clip_grad_norm_(self.learned, self._settings.clip, foreach=True)

    @torch.no_grad()
    def broken_weight(self) -> str | None:
        """The name of a learned weight that is NaN or infinite, if there is one."""
        largest = torch.stack([n.float() for n in torch._foreach_norm(tuple(self.learned), float("inf"))])
        wrong = ~torch.isfinite(largest)
        if not wrong.any():
            return None
        return self._names[self.learned[int(torch.nonzero(wrong)[0])]]

    def evaluated(self) -> AbstractContextManager[None]:
        """The block in which the task has the weights that are evaluated: the average, where there is one."""
        return nullcontext() if self.ema is None else self.ema.applied()

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """What a checkpoint keeps: groups of named tensors."""
        kept = {
            "model": module_tensors(self.objective),
            "optimiser": optimiser_tensors(self.optimiser, self._names),
        }
        if self.ema is not None:
            kept["average"] = self.ema.average
        return kept

    def load(self, tensors: Mapping[str, Mapping[str, Tensor]], step: int, place: str) -> None:
        """Go on from what :meth:`tensors` gave after ``step`` steps.

        Raises:
            CheckpointError: of another network.
        """
        load_module(self.objective, tensors["model"], place)
        load_optimiser(self.optimiser, self._names, tensors.get("optimiser", {}), place)
        if self.ema is not None:
            self.ema.load(tensors["average"], step)


def _unsynchronised(network: nn.Module, apply: bool) -> AbstractContextManager[None]:
    """Gradients of all but the last part stay in this process: one exchange a step."""
    if apply and isinstance(network, nn.parallel.DistributedDataParallel):
        return network.no_sync()
    return nullcontext()
