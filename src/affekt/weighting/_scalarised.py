"""Scalarised: torchjd's scalarisers - a function of the losses, its derivatives the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.weighting._foreign import Foreign
from affekt.weighting._torchjd_rules import Rule


class Scalarised(Foreign):
    """A scalariser of torchjd as a weighting.

    What it remembers (DWA its epochs, FAMO its logits) changes in ``observe`` alone, once a step and by the losses of
    the whole batch: parts of a batch and several processes all see the same memory.
    """

    def __init__(
        self, tasks: tuple[str, ...], *, name: str, rule: Rule, made: nn.Module, settings: Mapping[str, Any]
    ) -> None:
        super().__init__(tasks, name=name, rule=rule, made=made, settings=settings)
        self.looks_back = hasattr(made, "update")
        self.observes = self.looks_back or hasattr(made, "step")
        self._epoch: int | None = None
        # Under names of ours: its parameters are learned with the network, or kept in its checkpoints at least.
        self.learned = nn.ParameterDict(dict(made.named_parameters()))

    def begin(self, *, seed: int = 0, epoch: int = 0, step: int = 0) -> None:
        """As :class:`Foreign`; where another epoch begins than the last step's, the rule is told."""
        super().begin(seed=seed, epoch=epoch, step=step)
        if hasattr(self.made, "step") and self._epoch not in (None, epoch):
            self.made.step()  # type: ignore[operator]
        self._epoch = epoch

    @torch.no_grad()
    def observe(self, losses: Tensor, after: Tensor | None = None) -> None:
        if not self.observes:
            return
        if self.looks_back and after is None:
            raise UsageError(f'weighting "{self.name}" looks back: give the losses after the update, too')
        with self._working(losses) as made:
            made(losses)
            if self.looks_back:
                made.update(after)  # type: ignore[operator]

    def memory(self) -> dict[str, Tensor]:
        if not self.observes or self._epoch is None:
            return {}
        return {"epoch": torch.tensor(self._epoch), **self._remembered()}

    def load_memory(self, memory: Mapping[str, Tensor], device: torch.device) -> None:
        if not memory:
            return
        held = dict(memory)
        self._epoch = int(held.pop("epoch"))
        ones = torch.ones(len(self.tasks), device=device)
        with torch.no_grad(), self._unchanged_parameters():
            self.observe(ones, ones if self.looks_back else None)
        self._remember(held, device)

    def _combine(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        with self._working(losses) as made, _as_before(made), torch.enable_grad():
            leaf = losses.detach().requires_grad_()
            value = made(leaf)
            (weights,) = torch.autograd.grad(value, leaf, retain_graph=True)
        # The value, with its derivatives: by the losses through the weights, by what is learned as it is.
        return value + (weights * (losses - losses.detach())).sum(), weights

    @contextmanager
    def _unchanged_parameters(self) -> Iterator[None]:
        kept = [(p, p.detach().clone()) for p in self.learned.values()]
        yield
        for parameter, value in kept:
            parameter.copy_(value)


@contextmanager
def _as_before(made: nn.Module) -> Iterator[None]:
    """A call that leaves no trace."""
    kept = dict(vars(made))
    try:
        yield
    finally:
        vars(made).clear()
        vars(made).update(kept)
