"""Tensors out of weights files: safetensors, and foreign .pt / .pth files of which nothing is ever run."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from affekt.errors import CheckpointError, UsageError

_NESTS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Keys under which training scripts keep the state dict of a checkpoint, most usual first."""

_CULPRIT = re.compile(
    r"(?:GLOBAL|global|class|function|Trying to call reduce for unrecognized function) ([\w.]+\.[\w.]+)"
)
"""How torch's unpickler names what it refused."""

_WRAPPERS = ("module.", "_orig_mod.")
"""What ``DataParallel``, ``DistributedDataParallel`` and ``torch.compile`` put before every name."""


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """What a weights file holds.

    Attributes:
        tensors: name -> tensor, on the CPU.
        dropped: entries that are no tensors of the state dict, as ``name (type)``.
    """

    tensors: dict[str, Tensor]
    dropped: tuple[str, ...] = ()


def read_tensors(path: Path) -> Tensors:
    """The state dict in a .safetensors, .pt, .pth, .bin or .ckpt file, without wrappers' prefixes.

    Raises:
        UsageError: no such file.
        CheckpointError: not such a file, damaged, no state dict in it, or one that would run code when read.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        return Tensors(tensors=_read_safetensors(path))
    return _state_dict(path, _unpickled(path))


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: no readable safetensors file: {_one_line(error)}") from error


def _unpickled(path: Path) -> Any:
    """``torch.load`` with ``weights_only``: an unpickler that makes tensors and plain containers, nothing else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if culprit := _CULPRIT.search(str(error)):
            raise CheckpointError(
                f"{path}: refused: it asks for {culprit[1]}, and reading that could run code; nothing of it was run. "
                "It must hold tensors alone: save model.state_dict()"
            ) from error
        raise CheckpointError(f"{path}: no weights file that torch can read; nothing in it was run") from error
    except Exception as error:
        raise CheckpointError(f"{path}: no weights file that torch can read, or a damaged one") from error


def _state_dict(path: Path, loaded: Any) -> Tensors:
    dropped: list[str] = []
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"{path}: holds {type(loaded).__name__}, no state dict")
    nest = next((k for k in _NESTS if isinstance(loaded.get(k), Mapping)), None)
    if nest is not None:
        dropped += [_described(k, v) for k, v in loaded.items() if k != nest]
        loaded = loaded[nest]
    tensors = {str(k): v.detach() for k, v in loaded.items() if isinstance(v, Tensor)}
    dropped += [_described(k, v) for k, v in loaded.items() if not isinstance(v, Tensor)]
    if not tensors:
        raise CheckpointError(f"{path}: no tensors in it, only {', '.join(dropped[:5]) or 'nothing'}")
    return Tensors(tensors=without_wrappers(tensors), dropped=tuple(dropped))


def without_wrappers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without what parallel and compiled models put before every name."""
    found = dict(tensors)
    while wrapper := next((w for w in _WRAPPERS if found and all(n.startswith(w) for n in found)), None):
        found = {name.removeprefix(wrapper): tensor for name, tensor in found.items()}
    return found


def _described(name: object, value: object) -> str:
    return f"{name} ({type(value).__name__})"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
