"""Every rule as the tests create it: options for those that need some, losses by name, a small shared network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from affekt.randomness import torch_seed
from affekt.weighting import WEIGHTINGS, Weighting, create_weighting, list_weightings

OURS = list(WEIGHTINGS)
SOLVERS = {"cagrad": "cvxpy", "upgrad": "qpsolvers", "dualproj": "qpsolvers", "nash-mtl": "ecos"}
THEIRS = [
    name
    for name in list_weightings()
    if name not in OURS and find_spec("torchjd") and (name not in SOLVERS or find_spec(SOLVERS[name]))
]
"""Of torchjd, as far as it and the solvers are installed."""


def tasks(n: int) -> list[str]:
    return [f"task{i}" for i in range(n)]


def options(name: str, n: int) -> dict[str, Any]:
    """What the rule must be given for ``n`` tasks."""
    even = [1.0] * n
    return {
        "constant": {"weights": [float(i + 1) for i in range(n)]},
        "single": {"task": "task0"},
        "stch": {"mu": 0.5},
        "cosmos": {"lambda_": 0.5, "weights": even},
        "pbi": {"theta": 0.5, "weights": even},
        "cagrad": {"c": 0.4},
        "fairgrad": {"alpha": 1.0},
        "krum": {"n_byzantine": 0},
        "trimmed-mean": {"trim_number": 1},
    }.get(name, {})


def created(name: str, n: int, seed: int | None = None, **more: Any) -> Weighting:
    """In float64; what is learned at random, with a seed."""
    weighting = create_weighting(name, tasks(n), **{**options(name, n), **more}).double()
    if seed is not None:
        for parameter in weighting.parameters():
            parameter.data = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)).double()
    return weighting


def named(values: Any, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {f"task{i}": torch.as_tensor(v, dtype=dtype) for i, v in enumerate(values)}


class Shared(nn.Module):
    """One layer for all tasks, a head for each, and a layer that does not learn."""

    def __init__(self, n: int, seed: int = 0) -> None:
        super().__init__()
        with torch_seed("shared", seed):
            self.frozen = nn.Linear(3, 3).double().requires_grad_(False)
            self.trunk = nn.Linear(3, 4).double()
            self.heads = nn.ModuleList(nn.Linear(4, 1).double() for _ in range(n))
            self.idle = nn.Linear(2, 2).double()

    def losses(self, seed: int = 0) -> dict[str, Tensor]:
        with torch_seed("inputs", seed):
            x, y = torch.randn(6, 3).double(), torch.randn(len(self.heads), 6, 1).double()
        h = self.trunk(self.frozen(x)).tanh()
        return {f"task{i}": (head(h) - y[i]).square().mean() for i, head in enumerate(self.heads)}


def gradients(module: nn.Module) -> dict[str, Tensor | None]:
    return {name: parameter.grad for name, parameter in module.named_parameters()}
