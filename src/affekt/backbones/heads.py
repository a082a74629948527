"""The classifier that stood behind a backbone: its weight and bias out of a state dict."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from affekt.backbones.naming import resolve
from affekt.backbones.reading import read_tensors


def read_classifier_head(path: str | Path, name: str) -> tuple[Tensor, Tensor] | None:
    """``(K, D)`` weight and ``(K,)`` bias of the classifier in a weights file of network ``name``; None without one.

    The file is a state dict with any outer prefix (``model.fc.weight``), or a model folder of ours with a ``head``.
    Zeros stand for a bias that the classifier does not have; a classifier of 1 x 1 convolutions counts as linear.

    Raises:
        UsageError: an unknown name, no such file.
        CheckpointError: a damaged or hostile file.
    """
    path = Path(path)
    if path.is_dir():
        from affekt.saving import read_header

        read_header(path)
        return _head(read_tensors(path / "model.safetensors").tensors, "head")
    resolved = resolve(name)
    return _head(read_tensors(path).tensors, resolved.module.head_name(resolved.name))


def _head(tensors: dict[str, Tensor], head: str) -> tuple[Tensor, Tensor] | None:
    named = [n for n in tensors if n == f"{head}.weight" or n.endswith(f".{head}.weight")]
    if not named:
        return None
    weight = tensors[min(named, key=len)].float()
    if weight.ndim not in (2, 4) or weight.shape[2:].numel() != 1:
        return None
    bias = tensors.get(min(named, key=len).removesuffix("weight") + "bias")
    return weight.flatten(1), torch.zeros(len(weight)) if bias is None else bias.float()
