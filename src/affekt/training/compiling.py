"""Compiling: a task's model by torch.compile, with CUDA graphs where asked; compiled code is kept for other runs."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from affekt.backbones import Backbone
from affekt.data import user_cache
from affekt.saving.environment import processor
from affekt.training.logging import messages

CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Of the environment: where torch looks for code that it has compiled; ours only where nobody has set it."""


SHAPES = 64
"""Of one forward method, or as many layouts: beyond, torch gives up compiling it."""

ALIKE = 4
"""So many blocks of the same shapes are worth being compiled by themselves."""


def compile_model(model: nn.Module, how: bool | str, device: torch.device) -> bool:
    """Compile a model in place.

    Args:
        how: ``True``: as a whole; ``"blocks"``: its repeated blocks, where it has some; ``"graphs"``: as a whole, and
            its kernels are launched together, by CUDA graphs, where there is a GPU.
        device: that it is on.

    Returns:
        Whether there are graphs, whose outputs are valid until the next step only, see :func:`begin_step`.
    """
    keep_compiled(user_cache() / "affekt" / "compiled", device)
    graphs = how == "graphs" and device.type == "cuda"
    if how == "graphs" and not graphs:
        messages.warning('[training] compile = "graphs": %s has no CUDA graphs; compiled without', device)
    # Every shape its own graph: what a graph computes must not depend on the shapes that came before. There are more of
    # them (parts, last batches of splits, branches of other sizes) than torch expects.
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, SHAPES)
    for part in (how == "blocks" and repeated_blocks(model)) or [model]:
        part.compile(dynamic=False, mode="reduce-overhead" if graphs else None)
    return graphs


def repeated_blocks(model: nn.Module) -> list[nn.Module]:
    """The blocks of which a model has many that are alike, as transformers do, else the backbones of its branches:
    compiled once, used for all.

    Not so the blocks of ResNets, of which two or three are alike: they took as long to compile as the whole, and ran
    slower. Three ResNets as branches took half the time, and ran as fast.
    """
    found: dict[object, list[nn.Module]] = defaultdict(list)
    for module in _outermost(model):
        shapes = tuple((name, tuple(p.shape), p.requires_grad) for name, p in module.named_parameters())
        found[type(module), shapes].append(module)
    blocks = [module for alike in found.values() if len(alike) >= ALIKE for module in alike]
    branches: list[nn.Module] = [module for module in model.modules() if isinstance(module, Backbone)]
    return blocks or (branches if len(branches) > 1 else [])


def _outermost(module: nn.Module) -> Iterator[nn.Module]:
    """Modules that stand in a list or sequence and are none themselves."""
    for child in module.children():
        listed = isinstance(module, nn.Sequential | nn.ModuleList) and not isinstance(
            child, nn.Sequential | nn.ModuleList
        )
        if listed and any(True for _ in child.children()):
            yield child
        else:
            yield from _outermost(child)


def begin_step() -> None:
    """Say that outputs of earlier steps are wanted no more: their memory is that of the next ones."""
    torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]


def own_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Move gradients out of the memory of CUDA graphs, where the next part of a batch would be written over them."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad = parameter.grad.clone()


def keep_compiled(folder: Path, device: torch.device) -> Path | None:
    """Let torch keep what it compiles in ``folder``, apart for each version of torch and each processor.

    Torch reads only what it made of the same code with the same settings, so runs of a study share it, and a damaged
    graph is compiled anew (damaged source of its own is not noticed before it fails; torch writes all files whole).

    Returns:
        Where; None where the environment says another place, or nothing can be written there.
    """
    if _said():
        return None
    own = folder / machine_mark(device)
    others = sorted(entry.name for entry in folder.glob("torch-*") if entry != own) if not own.exists() else []
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if others:
        messages.warning("code compiled by another torch, or for another processor, is not used: %s", ", ".join(others))
    os.environ[CACHE] = str(own)
    return own


def _said() -> bool:
    """Whether somebody named a place: torch puts its own, in the folder of temporary files, where nobody did."""
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    return os.environ.get(CACHE) not in (None, str(Path(default_cache_dir()).absolute()))


def machine_mark(device: torch.device) -> str:
    """``torch-VERSION-xxxxxxxx``: what compiled code, and how numbers are rounded, depend on beside the network: torch,
    the processor and what torch uses of it, the GPU."""
    parts: list[Any] = [processor(), torch.backends.cpu.get_cpu_capability()]
    if device.type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    mark = hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=4).hexdigest()
    return f"torch-{torch.__version__}-{mark}"
