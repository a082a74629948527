"""Checking: what an earlier learner is given, refused in words before a weight is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affekt.errors import UsageError, first

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def checked_features(features: Tensor | Floats, num_features: int) -> Tensor:
    """``(N, D)`` floats in [0, 1], as a tensor.

    Raises:
        UsageError: another shape or type, or (looked at on a CPU only: reading a value back would stall a GPU) numbers
            that are NaN, infinite or outside of [0, 1].
    """
    found = torch.as_tensor(features)
    if found.ndim != 2 or found.shape[1] != num_features or not found.is_floating_point():
        kind = str(found.dtype).removeprefix("torch.")
        raise UsageError(f"features {tuple(found.shape)} {kind}: give (N, {num_features}) floats in [0, 1]")
    if found.device.type == "cpu" and found.numel() and not torch.compiler.is_compiling():
        _check_values(found.detach())
    return found


def _check_values(features: Tensor) -> None:
    low, high = (float(v) for v in features.aminmax())
    if low >= 0 and high <= 1:  # false for NaN too
        return
    bad = ~features.isfinite().all(dim=1)
    if bad.any():
        rows = first(bad.nonzero()[:, 0][:5].tolist(), total=int(bad.sum()))
        raise UsageError(f"features: NaN or infinite in row {rows} of {len(features)}")
    raise UsageError(f"features from {low:.3g} to {high:.3g}: scale them to [0, 1], e.g. with UnitScaling")


def checked_labels(labels: Tensor | Ints, n: int, num_classes: int) -> Tensor:
    """``(N,)`` int64 from 0 to K - 1, on the CPU.

    Raises:
        UsageError: another shape or type, or a label out of range.
    """
    found = torch.as_tensor(labels).cpu()
    whole = not found.is_floating_point() and not found.is_complex() and found.dtype != torch.bool
    if found.shape != (n,) or not whole:
        kind = str(found.dtype).removeprefix("torch.")
        raise UsageError(f"labels {tuple(found.shape)} {kind}: for {n} patterns write ({n},) int64")
    if n == 0:
        raise UsageError("no patterns: give one or more")
    low, high = (int(v) for v in found.aminmax())
    if low < 0 or high >= num_classes:
        raise UsageError(f"labels from {low} to {high}: classes are 0 to {num_classes - 1}")
    return found.long()


def checked_order(order: Tensor | Ints | Sequence[int], n: int) -> Ints:
    """Row numbers from 0 to N - 1, one or more, as int64.

    Raises:
        UsageError: none, no whole numbers, or one out of range.
    """
    found = np.asarray(order)
    if found.ndim != 1 or not len(found) or not np.issubdtype(found.dtype, np.integer):
        raise UsageError(f"order {found.shape} {found.dtype}: give the row numbers, 0 to {n - 1}, in a list")
    if found.min() < 0 or found.max() >= n:
        raise UsageError(f"order: row numbers from {found.min()} to {found.max()}, but there are 0 to {n - 1}")
    return found.astype(np.int64)
