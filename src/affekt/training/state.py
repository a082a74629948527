"""State: modules and optimisers as named tensors and back, to the bit, without pickle."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from affekt.errors import CheckpointError, first


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The state of a module by name.

    Raises:
        CheckpointError: it keeps something that is no tensor.
    """
    state = module.state_dict()
    other = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if other:
        raise CheckpointError(f"{type(module).__name__}: {first(other)}: only tensors can be kept in a checkpoint")
    return state


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], place: str) -> None:
    """Copy saved tensors into a module.

    Raises:
        CheckpointError: names or shapes differ; ``place`` says where they come from.
    """
    here = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    there = {name: tuple(t.shape) for name, t in tensors.items()}
    differing = [n for n in (here | there) if here.get(n) != there.get(n)]
    if differing:
        raise CheckpointError(f"{place}: of another network; tensors that differ: {first(differing)}")
    module.load_state_dict(dict(tensors))


def parameter_names(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[nn.Parameter, str]:
    """Each of the optimiser's parameters -> its name in the module."""
    names = {parameter: name for name, parameter in module.named_parameters()}
    return {p: names[p] for group in optimiser.param_groups for p in group["params"]}


def optimiser_tensors(optimiser: torch.optim.Optimizer, names: Mapping[nn.Parameter, str]) -> dict[str, Tensor]:
    """The optimiser's memory as ``<quantity>/<parameter>`` -> tensor, e.g. ``momentum_buffer/model.head.weight``."""
    return {
        f"{quantity}/{names[parameter]}": value
        for parameter in names
        for quantity, value in optimiser.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def load_optimiser(
    optimiser: torch.optim.Optimizer, names: Mapping[nn.Parameter, str], tensors: Mapping[str, Tensor], place: str
) -> None:
    """Give the optimiser its memory back, each tensor in the memory layout of its parameter.

    Fused kernels walk through parameter and memory side by side: the layout (channels last) is part of the state.

    Raises:
        CheckpointError: memory of a parameter that is not there, or of another shape.
    """
    parameters = {name: parameter for parameter, name in names.items()}
    for key, saved in tensors.items():
        quantity, _, name = key.partition("/")
        parameter = parameters.get(name)
        if parameter is None or saved.shape not in (parameter.shape, torch.Size([])):
            raise CheckpointError(f"{place}: optimiser memory of another network: {key}")
        if saved.shape == parameter.shape:
            memory = torch.empty_like(parameter, dtype=saved.dtype, requires_grad=False).copy_(saved)
        else:
            memory = saved.to(parameter.device)
        optimiser.state[parameter][quantity] = memory
