"""Classification: the loss and the scores that affect networks and classifiers have in common."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from affekt.errors import UsageError

BINS = 15
"""Bins of the calibration error, each with the same number of items."""


def nll(log_probabilities: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Mean negative log-likelihood; a scalar, 0 (with a gradient of 0) where no item has a label.

    Args:
        log_probabilities: ``(B, K)`` float32.
        target: ``(B,)`` int64, -1 for unknown; or ``(B, K)`` shares whose rows sum to what is known of the item.
        label_smoothing: share of each label that is spread evenly over the classes (Szegedy et al. 2016).
    """
    if target.ndim == 1:
        known = target >= 0
        chosen = log_probabilities.gather(1, target.clamp(min=0)[:, None]).squeeze(1)
    else:
        known = target.sum(dim=1)
        chosen = (target * log_probabilities).sum(dim=1)
    if label_smoothing:
        even = log_probabilities.mean(dim=1) * (known if target.ndim > 1 else 1)
        chosen = (1 - label_smoothing) * chosen + label_smoothing * even
    if target.ndim == 1:
        chosen = torch.where(known, chosen, torch.zeros_like(chosen))
    return -chosen.sum() / known.sum().clamp(min=1e-12)


def check_labels(labels: Tensor, predictions: Tensor, *, name: str = "labels", items: str = "pictures") -> None:
    """Refuse labels that do not fit ``(B, K)`` predictions; reading their range back would stall a GPU, so only a CPU's
    labels are looked at.

    Raises:
        UsageError: another number of items, type or range; ``name`` and ``items`` are what the message calls them.
    """
    n, classes = predictions.shape
    shares = labels.ndim == 2 and labels.is_floating_point()
    if tuple(labels.shape) != ((n, classes) if shares else (n,)) or (
        not shares and (labels.is_floating_point() or labels.dtype == torch.bool)
    ):
        raise UsageError(
            f"{name} {tuple(labels.shape)} {str(labels.dtype).removeprefix('torch.')}: for {n} {items} write "
            f"({n},) int64, or ({n}, {classes}) float shares"
        )
    if not shares and labels.device.type == "cpu" and n and not torch.compiler.is_compiling():
        low, high = int(labels.min()), int(labels.max())
        if low < -1 or high >= classes:
            raise UsageError(f"{name} from {low} to {high}: classes are 0 to {classes - 1}, -1 for unknown")


def scores(log_probabilities: ArrayLike, target: ArrayLike) -> dict[str, float]:
    """``accuracy``, ``accuracy_of_majority``, ``balanced_accuracy``, ``nll`` and ``ece`` of the items with a label.

    ``accuracy_of_majority`` is the most that any constant answer gets on these items. NaN where no item has a label.

    Args:
        log_probabilities: ``(N, K)``.
        target: ``(N,)`` int, -1 for unknown.
    """
    target = np.asarray(target)
    known = target >= 0
    logs, target = np.asarray(log_probabilities, dtype=np.float64)[known], target[known]
    predicted = logs.argmax(axis=1)
    confidence = np.exp(logs.max(axis=1))
    likelihood = logs[np.arange(len(target)), target]
    return {
        "accuracy": accuracy(predicted, target),
        "accuracy_of_majority": accuracy(np.bincount(target).argmax(), target) if target.size else float("nan"),
        "balanced_accuracy": balanced_accuracy(predicted, target),
        "nll": float(-likelihood.mean()) if target.size else float("nan"),
        "ece": calibration_error(confidence, predicted == target),
    }


def accuracy(predicted: ArrayLike, target: ArrayLike) -> float:
    """Share of right answers; NaN without items."""
    right = np.asarray(predicted) == np.asarray(target)
    return float(right.mean()) if right.size else float("nan")


def balanced_accuracy(predicted: ArrayLike, target: ArrayLike) -> float:
    """Mean over the classes that occur in ``target`` of the share found of each; NaN without items."""
    predicted, target = np.asarray(predicted), np.asarray(target)
    found = [float((predicted[target == k] == k).mean()) for k in np.unique(target)]
    return float(np.mean(found)) if found else float("nan")


def macro_f1(predicted: ArrayLike, target: ArrayLike) -> float:
    """Mean F1 over the classes that occur in ``target`` or in ``predicted``; NaN without items."""
    predicted, target = np.asarray(predicted), np.asarray(target)
    values = []
    for k in np.union1d(predicted, target):
        both = np.sum((predicted == k) & (target == k))
        values.append(2 * both / (np.sum(predicted == k) + np.sum(target == k)))
    return float(np.mean(values)) if target.size else float("nan")


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: mean of |accuracy - confidence| over bins of equal *mass*, weighted by their size.

    Equal mass, since with bins of equal width nearly all items of a good classifier stand in the last one (Nixon et al.
    2019, arXiv:1904.01685). In [0, 1]; NaN without items.

    Args:
        confidence: ``(N,)`` probability of the answer given.
        right: ``(N,)`` bool, whether it is right.
    """
    confidence, right = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not confidence.size:
        return float("nan")
    parts: list[NDArray[np.int64]] = np.array_split(np.argsort(confidence, kind="stable"), bins)
    gaps = [len(p) * abs(right[p].mean() - confidence[p].mean()) for p in parts if len(p)]
    return float(sum(gaps) / confidence.size)
