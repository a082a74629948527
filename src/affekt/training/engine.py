"""Engine: one optimiser step - gradients of a batch in parts, clip, update, EMA - and how it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from affekt.backbones.sizes import set_training_size
from affekt.randomness import torch_seed
from affekt.recipe import TrainingSettings
from affekt.training.descent import ByScalar, ByTask, Descent
from affekt.training.distributed import Processes, total
from affekt.training.ema import Ema
from affekt.training.full_memory import FullMemory, Kept, is_full
from affekt.training.objective import Objective
from affekt.training.optimisation import create_optimiser, create_schedule, set_learning_rate, weighting_group
from affekt.training.plan import Plan
from affekt.training.precision import autocast
from affekt.training.sizes import size_in
from affekt.training.state import load_module, load_optimiser, module_tensors, optimiser_tensors, parameter_names
from affekt.training.task import Batch
from affekt.weighting import GradientWeighting, Weighting


class Engine:
    """Makes optimiser steps; knows where the learning rate is, and how to be saved.

    With ``accumulate`` parts, and with several processes, each part's loss counts by its share of the global batch, so
    that the gradients are those of the whole batch for losses that are means over items. (Not so, and by nature: batch
    normalisation, losses on a batch's own statistics such as the CCC, means over the known labels of a part, and
    weights that are a function of the losses.) What a weighting remembers, and what one that weighs gradients sees, is
    of the whole batch.
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
        graphs: bool = False,
    ) -> None:
        """
        Args:
            graphs: the task's model runs in CUDA graphs.

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
        self._graphs = graphs
        self._descent: Descent | None = None
        self._size: int | None = None
        # Only where they may be wanted: copying them is work in each step.
        self._kept = Kept(objective.buffers() if settings.halve_when_full else ())

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
            This process's share of the losses, their total and the weights, as :meth:`Objective.forward` has them; the
            gradient norm, with ``clip``.

        Raises:
            FullMemory: the parts do not fit; with ``halve_when_full`` the step can be made again in more of them.
        """
        # Here and not before: processes are given process 0's weights now, after a checkpoint was read.
        descent = self._descent = self._descent or self._chosen_descent()
        set_learning_rate(self.optimiser, self.schedule(step))
        self.see(size_in(self._settings, self.plan.epoch(step)))
        self.optimiser.zero_grad(set_to_none=True)
        rule = self.objective.rule
        if rule is not None:
            rule.begin(seed=self.plan.seed, epoch=self.plan.epoch(step), step=step)
        size = len(self.plan.batch(step))
        with torch_seed("step", self.plan.seed, step, self._processes.rank):
            row = self._gradients(descent, parts, size)
        norm = self._clip()
        self.optimiser.step()
        if rule is not None and rule.observes:
            self._tell(rule, row, parts, step)
        if self.ema is not None:
            self.ema.update()
        return row, norm

    def see(self, size: int | None) -> None:
        """Side of the pictures that networks in training see from now on; None: full size."""
        if size != self._size:
            set_training_size(self.objective.task, size)
            self._size = size

    def _gradients(self, descent: Descent, parts: Sequence[Batch], size: int) -> Tensor:
        self._kept.keep()
        try:
            return descent.step(parts, size)
        except Exception as error:
            if not is_full(error):
                raise
        # Not within the block above: as long as the error is there, what it holds is not freed.
        self.optimiser.zero_grad(set_to_none=True)
        self._kept.put_back()
        raise FullMemory

    def _chosen_descent(self) -> Descent:
        rule = self.objective.rule
        machine: dict[str, Any] = {
            "device": self._device,
            "precision": self._precision,
            "processes": self._processes,
        }
        if isinstance(rule, GradientWeighting):
            return ByTask(self.objective, rule, self.learned, **machine)
        return ByScalar(self.objective, graphs=self._graphs, **machine)

    @torch.no_grad()
    def _tell(self, rule: Weighting, row: Tensor, parts: Sequence[Batch], step: int) -> None:
        """Tell a rule with a memory the losses of the whole batch and, where it asks, those after the update."""
        n = len(self.objective.names)
        before = total(row[:n].clone())
        after = total(self._losses_again(parts, step)) if rule.looks_back else None
        in_order = self.objective.for_rule
        rule.observe(in_order(before), None if after is None else in_order(after))

    def _losses_again(self, parts: Sequence[Batch], step: int) -> Tensor:
        """``(n,)`` this process's share of the batch's losses with the weights as they are now, drawn as before.

        Running statistics are put back: a second look at a batch is not learned from.
        """
        kept = Kept(self.objective.task.buffers())
        found = torch.zeros(len(self.objective.names), device=self._device)
        with torch_seed("step", self.plan.seed, step, self._processes.rank):
            for part in parts:
                with autocast(self._device, self._precision):
                    losses = self.objective.losses(part)
                named = torch.stack([losses[name].float() for name in self.objective.names])
                found += named * (len(part) / len(self.plan.batch(step)))
        kept.put_back()
        return found

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
        memory = {} if self.objective.rule is None else self.objective.rule.memory()
        if memory:
            kept["weighting"] = memory
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
        if self.objective.rule is not None:
            self.objective.rule.load_memory(tensors.get("weighting", {}), self._device)
