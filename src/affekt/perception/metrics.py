"""Metrics of affect networks, each beside what an answer that is the same for every picture gets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.training.classification import accuracy, balanced_accuracy, macro_f1

Floats = NDArray[np.float64]

CONSTANT = 1e-6
"""Predictions that differ by less than this share of their size are one number: their r would be that of rounding."""


def rating_metrics(predicted: ArrayLike, target: ArrayLike, mean: float) -> dict[str, float]:
    """``r``, ``spearman``, ``ccc``, ``rmse`` of one dimension, ``rmse_of_mean`` and ``ccc_of_mean`` (0), and ``n``.

    r and Spearman's rho are NaN for fewer than two rated pictures and where the predictions, or the ratings, do not
    differ: a constant has no correlation, and so the mean predictor has none to stand beside.

    Args:
        predicted: ``(N,)`` in units of the scale.
        target: ``(N,)`` in the same units, NaN: not rated.
        mean: of the training labels, which a mean predictor answers to every picture.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    rated = ~np.isnan(y)
    x, y = x[rated], y[rated]
    return {
        "r": correlation(x, y),
        "spearman": rank_correlation(x, y),
        "ccc": concordance(x, y),
        "rmse": rmse(x, y),
        "rmse_of_mean": rmse(np.full_like(y, mean), y),
        "ccc_of_mean": concordance(np.full_like(y, mean), y),
        "n": float(len(y)),
    }


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's r; NaN where either is constant."""
    from scipy import stats

    return float("nan") if _flat(x) or _flat(y) else float(stats.pearsonr(x, y)[0])


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's rho; NaN where either is constant."""
    from scipy import stats

    return float("nan") if _flat(x) or _flat(y) else float(stats.spearmanr(x, y)[0])


def concordance(x: Floats, y: Floats) -> float:
    """CCC = 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2), with 1/n (Lin 1989); NaN where nothing differs from anything."""
    if len(y) < 2:
        return float("nan")
    below = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    return float(2 * np.mean((x - x.mean()) * (y - y.mean())) / below) if below > 0 else float("nan")


def rmse(x: Floats, y: Floats) -> float:
    """Root of the mean squared error, in units of the scale; NaN without items."""
    return float(np.sqrt(np.mean((x - y) ** 2))) if len(y) else float("nan")


def _flat(x: Floats) -> bool:
    return len(x) < 2 or float(np.ptp(x)) <= CONSTANT * float(np.abs(x).max())


def category_metrics(probabilities: ArrayLike, target: ArrayLike, majority: int) -> dict[str, float]:
    """``accuracy``, ``balanced_accuracy`` and ``macro_f1``, each with ``..._of_majority``.

    Args:
        probabilities: ``(N, K)``.
        target: ``(N,)`` int, -1 for none.
        majority: the most frequent category of the *training* labels, the answer of the majority predictor.
    """
    target = np.asarray(target)
    known = target >= 0
    predicted, target = np.asarray(probabilities).argmax(axis=1)[known], target[known]
    constant = np.full_like(target, majority)
    scored = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "macro_f1": macro_f1}
    found = {name: score(predicted, target) for name, score in scored.items()}
    return found | {f"{name}_of_majority": score(constant, target) for name, score in scored.items()}


def vote_metrics(probabilities: ArrayLike, votes: ArrayLike, mean: ArrayLike) -> dict[str, float]:
    """``votes/kl``: mean divergence in nats from the shares of votes to the prediction, and ``votes/kl_of_mean``.

    Args:
        probabilities: ``(N, K)``.
        votes: ``(N, K)``; rows of zeros are left out.
        mean: ``(K,)``, mean shares of the training labels, the answer of the mean predictor.
    """
    counts = np.asarray(votes, dtype=np.float64)
    voted = counts.sum(axis=1) > 0
    shares = counts[voted] / counts[voted].sum(axis=1, keepdims=True)
    answers: Mapping[str, Floats] = {
        "votes/kl": np.asarray(probabilities, dtype=np.float64)[voted],
        "votes/kl_of_mean": np.broadcast_to(np.asarray(mean, dtype=np.float64), shares.shape),
    }
    return {name: _divergence(shares, answer) for name, answer in answers.items()}


def _divergence(shares: Floats, answer: Floats) -> float:
    from scipy.special import rel_entr

    tiny = np.finfo(np.float64).tiny
    return float(rel_entr(shares, np.maximum(answer, tiny)).sum(axis=1).mean()) if len(shares) else float("nan")
