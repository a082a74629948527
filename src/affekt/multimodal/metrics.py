"""Metrics of several tasks: each by itself, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.training.classification import scores

MANY = 12
"""With more classes than this a task's confusions are not among the metrics; K^2 numbers would hide the others."""


def task_metrics(
    log_probabilities: Mapping[str, ArrayLike],
    targets: Mapping[str, ArrayLike],
    classes: Mapping[str, Sequence[str]],
) -> dict[str, float]:
    """Of each task ``<task>/accuracy``, ``/accuracy_of_majority``, ``/balanced_accuracy`` (the unweighted average
    recall), ``/nll``, ``/ece``, ``/n``, ``/confusion/<true>/<predicted>`` (numbers of clips); and of all:
    ``accuracy`` and ``balanced_accuracy`` (means over the tasks) and ``nll`` (their unweighted sum).

    Args:
        log_probabilities: task -> ``(N, K)``.
        targets: task -> ``(N,)`` int, -1 for unknown.
        classes: task -> K names.
    """
    of_each: dict[str, float] = {}
    for task, logs in log_probabilities.items():
        target = np.asarray(targets[task])
        found = scores(logs, target) | {"n": float((target >= 0).sum())}
        if len(classes[task]) <= MANY:
            found |= _named(confusions(logs, target), classes[task])
        of_each |= {f"{task}/{name}": value for name, value in found.items()}
    return _of_all(of_each, list(log_probabilities)) | of_each


def confusions(log_probabilities: ArrayLike, target: ArrayLike) -> NDArray[np.int64]:
    """``(K, K)`` numbers of items: row the true class, column the likeliest; items without a label are left out."""
    logs, target = np.asarray(log_probabilities), np.asarray(target)
    known = target >= 0
    counts = np.zeros((logs.shape[1], logs.shape[1]), dtype=np.int64)
    np.add.at(counts, (target[known], logs[known].argmax(axis=1)), 1)
    return counts


def _named(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, float]:
    cells = ((i, j) for i in range(len(classes)) for j in range(len(classes)))
    return {f"confusion/{classes[i]}/{classes[j]}": float(counts[i, j]) for i, j in cells}


def _of_all(of_each: Mapping[str, float], tasks: Sequence[str]) -> dict[str, float]:
    def values(name: str) -> list[float]:
        return [of_each[f"{task}/{name}"] for task in tasks]

    means = {name: float(np.mean(values(name))) for name in ("accuracy", "balanced_accuracy")}
    return means | {"nll": float(np.sum(values("nll")))}
