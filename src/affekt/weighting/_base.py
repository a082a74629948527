"""Weighting: named losses in, gradients out; what every rule has in common, and what a training loop may ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import UsageError


class Weighting(nn.Module, ABC):
    """Named losses -> the one that is minimised.

    A loop of one's own needs ``weighting(losses).backward()``, or, for any rule, ``weighting.backward(losses,
    parameters)``. Some rules want to be told more; each tells by an attribute, and all may be called on every rule:

    - ``begin(seed=, epoch=, step=)`` before a step: random rules draw by it, and rules with a memory of epochs count.
    - ``observe(losses)`` after a step, where ``observes``: the losses of the whole batch, for rules with a memory.
      Where ``looks_back``, with ``after``: the losses of the same batch after the update.
    - ``memory`` and ``load_memory``: what a rule remembers beside its parameters and buffers, as named tensors.

    Args:
        tasks: the names of the losses, all different; their order is that of the weights and never changes.

    Raises:
        UsageError: no name, or one given twice.
    """

    name: str
    """What :func:`create_weighting` calls it."""

    needs_gradients = False
    """Whether it weighs each task's *gradient*; such a rule has no scalar, only ``backward``."""

    observes = False
    looks_back = False

    has_weights = True
    """Whether what it does can be said as one weight a task."""

    watched = True
    """Whether a small weight is news: not where somebody chose it."""

    collapse = "no"
    """When a task loses its weight, in a few words."""

    scale_free = False
    """Whether it is meant to give a loss of a tenth of the size ten times the weight."""

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        if isinstance(tasks, str) or not tasks or len(set(tasks)) != len(tasks):
            raise UsageError(f"weighting tasks {tasks!r}: give a list of different names, one for each loss")
        self.tasks = tuple(tasks)

    @property
    def settings(self) -> dict[str, Any]:
        """The options that differ from their defaults: what tells two weightings of one name apart."""
        return {}

    @property
    def versions(self) -> dict[str, str]:
        """Of packages that the result depends on, beside affekt and torch."""
        return {}

    @property
    def instead(self) -> str:
        """What to do where a weight has collapsed, in words that end a warning."""
        return 'use name = "uniform" in [weighting]'

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The scalar to call ``backward`` on, float32.

        Raises:
            UsageError: a loss is missing, is not one of ``tasks``, or is not a scalar; or the rule weighs gradients.
        """
        return self.weigh(losses)[0]

    @torch.no_grad()
    def weights(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Task -> the weight that its loss has in ``forward(losses)``: detached scalars, in the order of ``tasks``.

        That is, the derivative of the scalar by the loss, which is a weight for rules that are no sum, too.
        """
        return self.named(self.weigh(losses)[1])

    def weigh(self, losses: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The scalar, and the ``(n,)`` weights that ``weights`` names; what a rule remembers is left alone."""
        stacked = self._stacked(losses)
        # A product of two vectors would otherwise be taken in half precision.
        with torch.autocast(stacked.device.type, enabled=False):
            return self._combine(stacked)

    def backward(self, losses: Mapping[str, Tensor], parameters: Iterable[Tensor] = ()) -> dict[str, Tensor]:
        """Add the gradients of one batch to ``.grad``, whatever the rule; returns ``weights``, empty without any.

        Args:
            losses: of the batch.
            parameters: of the network; only rules that weigh gradients look at them.
        """
        del parameters
        scalar, weights = self.weigh(losses)
        scalar.backward()  # type: ignore[no-untyped-call]
        if self.observes and not self.looks_back:
            self.observe(self._stacked(losses).detach())
        return self.named(weights)

    def begin(self, *, seed: int = 0, epoch: int = 0, step: int = 0) -> None:
        """Say which step comes; epochs and steps count from 0 over the whole run."""

    def observe(self, losses: Tensor, after: Tensor | None = None) -> None:
        """Say what the ``(n,)`` losses of the step were, in the order of ``tasks``, and are after the update."""

    def memory(self) -> dict[str, Tensor]:
        """What the rule remembers beside ``state_dict``; shapes may change from step to step."""
        return {}

    def load_memory(self, memory: Mapping[str, Tensor], device: torch.device) -> None:
        """Go on from what :meth:`memory` gave, on ``device``."""

    def shares(self, weights: Tensor, losses: Tensor) -> Tensor:
        """``(T, n)`` weights and losses -> ``(T, n)`` shares of the whole: of the weight, or of the weighted losses for
        rules that are meant to make losses of different size count alike."""
        parts = weights * losses if self.scale_free else weights
        return parts / parts.abs().sum(dim=-1, keepdim=True).clamp(min=1e-30)

    def named(self, weights: Tensor) -> dict[str, Tensor]:
        """``(n,)`` weights by task."""
        return dict(zip(self.tasks, weights.detach().unbind(), strict=True)) if self.has_weights else {}

    @abstractmethod
    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        """``(n,)`` losses -> the scalar, and its derivative by each loss, ``(n,)`` and detached."""

    def _stacked(self, losses: Mapping[str, Tensor]) -> Tensor:
        """``(n,)`` float32 (float64 if the losses are), in the order of ``tasks`` whatever that of ``losses``."""
        return torch.stack(self._ordered(losses))

    def _ordered(self, losses: Mapping[str, Tensor]) -> list[Tensor]:
        """Each loss by itself: through a stack, every loss would reach the parameters of every other, with zeros."""
        if set(losses) != set(self.tasks):
            missing = [t for t in self.tasks if t not in losses]
            extra = [t for t in losses if t not in self.tasks]
            found = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unknown: {', '.join(extra)}"] * bool(extra)
            raise UsageError(
                f"weighting of {', '.join(self.tasks)}: {'; '.join(found)}; create it with tasks=list(losses)"
            )
        other = {name: type(loss).__name__ for name, loss in losses.items() if not isinstance(loss, Tensor)}
        if other:
            name, kind = next(iter(other.items()))
            raise UsageError(f'loss "{name}" is a {kind}; give a tensor, e.g. torch.tensor(1.0)')
        wrong = {name: tuple(loss.shape) for name, loss in losses.items() if loss.ndim}
        if wrong:
            name, shape = next(iter(wrong.items()))
            raise UsageError(f'loss "{name}" has shape {shape}; give a scalar, e.g. its mean over the batch')
        ordered = [losses[t] for t in self.tasks]
        return ordered if any(loss.dtype == torch.float64 for loss in ordered) else [loss.float() for loss in ordered]


class WeightedSum(Weighting):
    """``sum_i w_i L_i``; a rule says what the weights are."""

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        weights = self._weigh(losses)
        return (weights * losses).sum(), weights.detach()

    @abstractmethod
    def _weigh(self, losses: Tensor) -> Tensor:
        """``(n,)`` losses -> ``(n,)`` weights; no gradient may run through the losses here."""
