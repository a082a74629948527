"""Stages: the parts of a network, from input to output, for freezing and layer-wise learning rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

StageNames = tuple[tuple[str, ...], ...]
"""The names of the parameters, stage by stage."""

_CONTAINERS = ("features", "trunk_output", "layers", "blocks", "encoder", "encoder.layers")
"""Parts of torchvision's networks that hold blocks in a row: their children are looked at one by one."""


class Stage(nn.Module):
    """A handle on some parameters of a network: the largest modules that hold nothing else, and single parameters.

    It shares them: what is frozen or put into evaluation mode here is so in the network.
    """

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self._collect(network, "", frozenset(names))

    def _collect(self, module: nn.Module, prefix: str, names: frozenset[str]) -> None:
        for name, parameter in module.named_parameters(recurse=False):
            if prefix + name in names:
                self.register_parameter(_flat(prefix + name), parameter)
        for name, child in module.named_children():
            inside = {f"{prefix}{name}.{n}" for n, _ in child.named_parameters()}
            if inside and inside <= names:
                self.add_module(_flat(prefix + name), child)
            elif inside & names:
                self._collect(child, f"{prefix}{name}.", names)


def _flat(name: str) -> str:
    """A dotted name as one that a module accepts."""
    return name.replace(".", "__")


def by_resolution(network: nn.Module, run: Callable[[], object]) -> StageNames:
    """Stages of a convolutional network: a new one begins at each block whose output is smaller than the one before.

    ``run`` sends pictures through the network. What has no spatial output (a first linear layer after the last map)
    makes one last stage; single parameters (a class token) belong to the first.
    """
    stages: list[list[str]] = [[]]
    size: int | None = None
    for block, now in _output_sizes(network, run).items():
        if now != size and stages[-1]:
            stages.append([])
        size = now
        stages[-1] += [f"{block}.{n}" for n, _ in network.get_submodule(block).named_parameters()]
    return complete(network, stages)


def by_block(network: nn.Module, blocks: Sequence[str], last: Sequence[str]) -> StageNames:
    """Stages of a transformer: what stands before the blocks, each block, what stands behind the last one."""
    names = [n for n, _ in network.named_parameters()]
    inside = [[n for n in names if n.startswith(f"{block}.")] for block in blocks]
    behind = [n for n in names if n.startswith(tuple(last))]
    inside[-1] += behind
    taken = {n for stage in inside for n in stage}
    return complete(network, [[n for n in names if n not in taken], *inside])


def complete(network: nn.Module, stages: Sequence[Sequence[str]]) -> StageNames:
    """The stages without empty ones; a last one of nothing but a norm joins the one before it.

    A parameter that stands in none goes into the first.
    """
    shapes = {n: p.ndim for n, p in network.named_parameters()}
    taken = {n for stage in stages for n in stage}
    found = [list(stage) for stage in stages if stage] or [[]]
    found[0] = [n for n in shapes if n not in taken] + found[0]
    if len(found) > 1 and all(shapes[n] <= 1 for n in found[-1]):
        found[-2:] = [found[-2] + found[-1]]
    return tuple(tuple(stage) for stage in found)


def _output_sizes(network: nn.Module, run: Callable[[], object]) -> dict[str, int]:
    """Block -> height of its output (0: not spatial), in the order in which they run."""
    sizes: dict[str, int] = {}

    def noting(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            sizes[name] = int(output.shape[2]) if isinstance(output, Tensor) and output.ndim == 4 else 0

        return note

    run_watched(run, [(module, noting(name)) for name, module in _blocks(network, "")])
    return sizes


def run_watched(run: Callable[[], object], watchers: Iterable[tuple[nn.Module, Callable[..., None]]]) -> None:
    """Run once without gradient, with a forward hook on each module; no hook stays behind."""
    handles = [module.register_forward_hook(hook) for module, hook in watchers]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()


def _blocks(network: nn.Module, prefix: str) -> list[tuple[str, nn.Module]]:
    found = []
    for name, child in network.named_children():
        if prefix + name in _CONTAINERS:
            found += _blocks(child, f"{prefix}{name}.")
        else:
            found.append((prefix + name, child))
    return found
