"""Losses of affect networks: categories, shares of votes, and ratings; what is not labelled is left out.

Each is a float32 scalar, a mean over what is labelled, and 0 (with a gradient of 0) where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from affekt.training.classification import nll

LOG_VARIANCE = 8.0
"""Bound of a predicted log-variance, either way: standard deviations from 0.018 to 55 of the labels'."""


def category_loss(logits: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy with the majority category.

    Args:
        logits: ``(B, K)``.
        target: ``(B,)`` int64, -1 for none; or ``(B, K)`` shares after mixup, whose rows sum to what is known.
    """
    return nll(torch.log_softmax(logits.float(), dim=1), target, label_smoothing)


def vote_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the shares of the votes to the predicted distribution, in nats.

    Args:
        logits: ``(B, K)``.
        votes: ``(B, K)``, non-negative numbers or shares of people; a row of zeros was not voted on.
    """
    total = votes.float().sum(dim=1, keepdim=True)
    voted = total.squeeze(1) > 0
    shares = votes.float() / total.clamp(min=1e-12)
    divergence = torch.special.xlogy(shares, shares) - shares * torch.log_softmax(logits.float(), dim=1)
    total_divergence: Tensor = divergence.sum()
    return total_divergence / voted.sum().clamp(min=1)


def squared_error(ratings: Tensor, target: Tensor, _log_variance: Tensor | None = None) -> Tensor:
    """Mean squared error of ``(B,)`` ratings; NaN in ``target`` is left out."""
    rated, target = _rated(target)
    return (rated * (ratings.float() - target).square()).sum() / rated.sum().clamp(min=1)


def concordance_error(ratings: Tensor, target: Tensor, _log_variance: Tensor | None = None) -> Tensor:
    """1 - CCC over the batch, in [0, 2]; CCC = 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2) (Lin 1989), NaN left out.

    A batch with fewer than two rated pictures has no concordance and costs nothing.
    """
    rated, target = _rated(target)
    n = rated.sum()
    x, y = ratings.float(), target
    mean_x, mean_y = ((rated * v).sum() / n.clamp(min=1) for v in (x, y))
    dx, dy = rated * (x - mean_x), rated * (y - mean_y)
    below = dx.square().sum() + dy.square().sum() + n * (mean_x - mean_y).square()
    concordance = 2 * (dx * dy).sum() / below.clamp(min=1e-12)
    return torch.where(n > 1, 1 - concordance, 0 * concordance)


def gaussian_error(ratings: Tensor, target: Tensor, log_variance: Tensor | None) -> Tensor:
    """Negative log-likelihood of a normal distribution with the predicted variance, without the constant log(2 pi)/2.

    The log-variance is bounded at +-8, so that a perfectly fitted picture cannot send the loss to minus infinity.
    """
    assert log_variance is not None
    rated, target = _rated(target)
    bounded = log_variance.float().clamp(-LOG_VARIANCE, LOG_VARIANCE)
    likelihood = 0.5 * (bounded + (ratings.float() - target).square() * torch.exp(-bounded))
    return (rated * likelihood).sum() / rated.sum().clamp(min=1)


RatingsLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]

RATINGS_LOSSES: dict[str, RatingsLoss] = {
    "mse": squared_error,
    "ccc": concordance_error,
    "gaussian-nll": gaussian_error,
}
"""Name -> loss of ``(ratings (B,), target (B,), log-variance (B,) or None)``, one dimension at a time, standardised."""


def _rated(target: Tensor) -> tuple[Tensor, Tensor]:
    """Whether each is rated, as 0.0 or 1.0, and the target with 0 in place of NaN: NaN times 0 would still be NaN."""
    target = target.float()
    rated = ~torch.isnan(target)
    return rated.float(), torch.where(rated, target, torch.zeros_like(target))
