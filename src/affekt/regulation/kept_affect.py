"""Kept affect: what an emotional encoder says of pictures, in a folder that several runs share, by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from affekt.training.compiling import machine_mark

Felt = dict[str, Tensor]
"""``state`` ``(B, A)`` and, where they are kept, ``features`` ``(B, D)``; float32."""


class KeptAffect:
    """A file a batch of pictures, named by a SHA-256 of all that its numbers follow from: the encoder's weights, the
    pixels, what is kept, and what rounds them (precision, threads, version of torch, processor, GPU). What cannot be
    read is computed anew; a file is there whole or not at all.

    Args:
        folder: made where it is missing.
        emotional: a frozen emotional encoder.
        device: where it computes.
    """

    def __init__(self, folder: Path, emotional: nn.Module, device: torch.device) -> None:
        self.folder = folder
        self._computed_by = _digest_of(emotional), machine_mark(device)

    def felt(self, images: Tensor, compute: Callable[[Tensor], Felt], names: tuple[str, ...]) -> Felt:
        """What is kept of these pictures, else what ``compute`` says, which is kept then.

        Args:
            images: ``(B, 3, H, W)`` in [0, 1].
            names: of what ``compute`` returns.

        Raises:
            OSError: the folder cannot be written.
        """
        path = self.folder / f"{self._name(images, names)}.safetensors"
        found = _read(path, names, len(images))
        if found is None:
            found = {name: value.float().contiguous() for name, value in compute(images).items()}
            _write(path, found)
        return {name: value.to(images.device) for name, value in found.items()}

    def _name(self, images: Tensor, names: tuple[str, ...]) -> str:
        kind = images.device.type
        precision = str(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else "fp32"
        rounding = (kind, precision, torch.get_num_threads())
        said = (*self._computed_by, names, *rounding, tuple(images.shape), str(images.dtype))
        hashed = hashlib.sha256(repr(said).encode())
        hashed.update(np.ascontiguousarray(images.cpu().numpy()).data)
        return hashed.hexdigest()[:32]


def _digest_of(module: nn.Module) -> str:
    hashed = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        hashed.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        hashed.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return hashed.hexdigest()


def _read(path: Path, names: tuple[str, ...], length: int) -> Felt | None:
    try:
        found: Felt = safetensors.torch.load(path.read_bytes())
    except (OSError, SafetensorError):
        return None
    return found if found.keys() == {*names} and all(len(value) == length for value in found.values()) else None


def _write(path: Path, felt: Felt) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(safetensors.torch.save({name: value.cpu() for name, value in felt.items()}))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
