"""EMA: an exponential moving average of the weights, which is what is evaluated and selected when it is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def changing(module: nn.Module) -> dict[str, Tensor]:
    """The live tensors of a module that training can change, by name: learning parameters and saved buffers.

    Tied weights stand there once, under their first name.
    """
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if not isinstance(tensor, nn.Parameter) or tensor.requires_grad:
            found.setdefault(id(tensor), (name, tensor.detach() if isinstance(tensor, nn.Parameter) else tensor))
    return dict(found.values())


@torch.no_grad()
def snapshot(module: nn.Module) -> dict[str, Tensor]:
    """Copies of what :func:`changing` finds."""
    return {name: tensor.detach().clone() for name, tensor in changing(module).items()}


@torch.no_grad()
def restore(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy a :func:`snapshot` back, in place.

    Raises:
        KeyError: the module has other tensors.
    """
    live = changing(module)
    if live.keys() != weights.keys():
        raise KeyError(f"weights of another network: {sorted(live.keys() ^ weights.keys())[:5]}")
    for name, tensor in live.items():
        tensor.copy_(weights[name])


class Ema:
    """``average <- d average + (1 - d) weights`` after step t = 1, 2 ..., with d = min(decay, (1 + t) / (10 + t)).

    The small d of the first steps keeps the initial weights from standing in the average of a short run (as
    TensorFlow's ``num_updates``). Running statistics (floating buffers) are averaged with the weights they belong to;
    integer buffers are copied.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self._live = changing(module)
        self.average = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        floating = [name for name, tensor in self._live.items() if tensor.is_floating_point()]
        self._pairs = [(self.average[n], self._live[n]) for n in floating]
        self._copied = [n for n in self._live if n not in set(floating)]

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of one more step into the average."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        if self._pairs:
            averages, weights = zip(*self._pairs, strict=True)
            torch._foreach_lerp_(averages, weights, 1 - decay)
        for name in self._copied:
            self.average[name].copy_(self._live[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module has the average as its weights inside this block, and its own again, to the bit, after it."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, live in self._live.items():
            kept = live.clone()
            live.copy_(self.average[name])
            self.average[name].copy_(kept)

    @torch.no_grad()
    def load(self, average: Mapping[str, Tensor], steps: int) -> None:
        """Go on from a saved average."""
        if average.keys() != self.average.keys():
            raise KeyError(f"average of another network: {sorted(average.keys() ^ self.average.keys())[:5]}")
        for name, tensor in self.average.items():
            tensor.copy_(average[name])
        self.steps = steps
