"""Probabilities held against what happened: log-loss, Brier score, calibration error, accuracy of each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def item_nll(log_probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """``(N,)`` negative log-likelihood of each item's label, in nats.

    Args:
        log_probabilities: ``(N, K)``.
        labels: ``(N,)`` from 0 to K - 1.
    """
    logs, classes = _checked(log_probabilities, labels)
    return -logs[np.arange(len(classes)), classes]


def item_brier(log_probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """``(N,)`` Brier score of each item, in [0, 2]: squared distance to the label as a distribution (Brier 1950)."""
    logs, classes = _checked(log_probabilities, labels)
    wanted = np.eye(logs.shape[1])[classes]
    return np.asarray(np.square(np.exp(logs) - wanted).sum(axis=1))


def calibration_bins(log_probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15) -> tuple[Floats, Floats, Ints]:
    """Mean confidence, accuracy and number of the items of each bin; bins of (nearly) the same number of items.

    Confidence is the largest probability. There are no more bins than items.
    """
    logs, classes = _checked(log_probabilities, labels)
    confidence, right = np.exp(logs.max(axis=1)), logs.argmax(axis=1) == classes
    parts = np.array_split(np.argsort(confidence, kind="stable"), min(bins, len(classes)))
    return (
        np.array([confidence[part].mean() for part in parts]),
        np.array([right[part].mean() for part in parts]),
        np.array([len(part) for part in parts], dtype=np.int64),
    )


def calibration_error(log_probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15) -> tuple[float, float]:
    """Expected calibration error with adaptive bins (Nguyen & O'Connor 2015), and what a calibrated network would get.

    The second number is the error's bias: the mean over 200 draws of labels from the network's own confidences, for
    which the true error is 0 (Vaicenavicius et al. 2019). An error near it says nothing against the network.
    """
    logs, classes = _checked(log_probabilities, labels)
    confidence, accuracy, sizes = calibration_bins(logs, classes, bins=bins)
    error = float((np.abs(confidence - accuracy) * sizes).sum() / sizes.sum())
    every = np.sort(np.exp(logs.max(axis=1)))
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn = np.random.default_rng(0).random((200, len(every))) < every
    found = np.add.reduceat(drawn.astype(np.float64), edges, axis=1)
    bias = float(np.abs(found - confidence * sizes).sum(axis=1).mean() / sizes.sum())
    return error, bias


def class_accuracy(log_probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """``(K,)`` accuracy among the items of each class, NaN for a class without items."""
    logs, classes = _checked(log_probabilities, labels)
    right = (logs.argmax(axis=1) == classes).astype(np.float64)
    total = np.bincount(classes, minlength=logs.shape[1]).astype(np.float64)
    return np.asarray(np.bincount(classes, right, minlength=logs.shape[1]) / np.where(total > 0, total, np.nan))


def _checked(log_probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, Ints]:
    logs, classes = np.asarray(log_probabilities, dtype=np.float64), np.asarray(labels)
    if logs.ndim != 2 or classes.shape != (len(logs),) or not len(logs):
        raise UsageError(f"log-probabilities {logs.shape} and labels {classes.shape}: (N, K) and (N,) are asked")
    if classes.min() < 0 or classes.max() >= logs.shape[1]:
        raise UsageError(f"labels from {classes.min()} to {classes.max()}: classes are 0 to {logs.shape[1] - 1}")
    return logs, classes.astype(np.int64)
