"""Memory: what an object of another library has learned, as named tensors and back, without pickle.

A rule of torchjd keeps its state in buffers that begin as None, in plain attributes and in an optimiser of its own. All
of it is looked up here by its type, not by its name: tensors, arrays, numbers, lists of tensors, optimisers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

SEPARATOR = "|"
"""Between an attribute's path and the kind of its value; no attribute has it in its name."""

_TORCHS_OWN = frozenset(vars(nn.Module()))


def remembered(module: nn.Module) -> dict[str, Tensor]:
    """Every value that can be one, as ``path|kind`` -> tensor; parameters are left to ``state_dict``."""
    found: dict[str, Tensor] = {}
    for path, part in module.named_modules():
        for name, value in _attributes(part).items():
            found |= dict(_encoded(f"{path}.{name}" if path else name, value))
    return found


def remember(module: nn.Module, memory: Mapping[str, Tensor], device: torch.device) -> None:
    """Give a module of the same kind what :func:`remembered` found.

    It must have been used once, so that what it makes when it is first used (an optimiser, a solver) is there. A tensor
    goes to where the one that it replaces is, or to ``device``.
    """
    parts = dict(module.named_modules())
    for key, tensor in memory.items():
        place, _, kind = key.partition(SEPARATOR)
        if kind == "item":
            continue
        path, _, name = place.rpartition(".")
        if kind.startswith("optimiser"):
            _load_optimiser(getattr(parts[path], name), kind, tensor)
            continue
        setattr(parts[path], name, _decoded(place, kind, tensor, memory, getattr(parts[path], name, None), device))


def _attributes(part: nn.Module) -> dict[str, Any]:
    own = {name: value for name, value in vars(part).items() if name not in _TORCHS_OWN}
    return {**own, **part._buffers}


def _encoded(place: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    def key(kind: str) -> str:
        return f"{place}{SEPARATOR}{kind}"

    if value is None:
        yield key("none"), torch.zeros(0)
    elif isinstance(value, Tensor):
        yield key("tensor"), value.detach()
    elif isinstance(value, np.ndarray):
        yield key("array"), torch.from_numpy(np.array(value))
    elif isinstance(value, int):
        yield key("int"), torch.tensor(value)
    elif isinstance(value, float):
        yield key("float"), torch.tensor(value, dtype=torch.float64)
    elif isinstance(value, list) and all(isinstance(v, Tensor) for v in value):
        yield key("list"), torch.tensor(len(value))
        yield from ((f"{place}.{i}{SEPARATOR}item", v.detach()) for i, v in enumerate(value))
    elif isinstance(value, torch.optim.Optimizer):
        for number, parameter in enumerate(_parameters(value)):
            for quantity, tensor in value.state.get(parameter, {}).items():
                yield key(f"optimiser.{number}.{quantity}"), tensor


def _decoded(
    place: str, kind: str, tensor: Tensor, memory: Mapping[str, Tensor], before: Any, device: torch.device
) -> Any:
    if kind == "none":
        return None
    if kind == "tensor":
        return tensor.to(before.device if isinstance(before, Tensor) else device)
    if kind == "list":
        return [memory[f"{place}.{i}{SEPARATOR}item"].to(device) for i in range(int(tensor))]
    return tensor.numpy() if kind == "array" else tensor.item()


def _load_optimiser(optimiser: torch.optim.Optimizer, kind: str, tensor: Tensor) -> None:
    _, number, quantity = kind.split(".", 2)
    held = optimiser.state[_parameters(optimiser)[int(number)]]
    held[quantity] = tensor.to(held[quantity].device)


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
