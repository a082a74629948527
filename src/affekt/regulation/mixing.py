"""Mixing: two predictions and a regulation weight into one log-distribution, in log space."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def mix_probabilities(non_emotional: Tensor, influenced: Tensor, regulation: Tensor) -> Tensor:
    """``log((1 - r) softmax(z_N) + r softmax(z_I))``; with an r for each class, rescaled to sum to one.

    No probability underflows, and r may be exactly 0 or 1: the result is then that of one branch alone, and every
    gradient is finite.

    Args:
        non_emotional, influenced: ``(B, K)`` logits.
        regulation: ``(B, 1)`` or ``(B, K)``, in [0, 1].

    Returns:
        ``(B, K)`` log-probabilities, float32 (float64 if the logits are).
    """
    first, second, r = _precise(non_emotional), _precise(influenced), _precise(regulation)
    mixed = torch.logaddexp(_log(1 - r) + torch.log_softmax(first, dim=1), _log(r) + torch.log_softmax(second, dim=1))
    return mixed - torch.logsumexp(mixed, dim=1, keepdim=True) if r.shape[1] > 1 else mixed


def mix_logits(non_emotional: Tensor, influenced: Tensor, regulation: Tensor) -> Tensor:
    """``log softmax((1 - r) z_N + r z_I)``: a geometric mean of the two; arguments as :func:`mix_probabilities`."""
    r = _precise(regulation)
    return torch.log_softmax((1 - r) * _precise(non_emotional) + r * _precise(influenced), dim=1)


MIXES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"probability": mix_probabilities, "logit": mix_logits}


def _precise(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _log(x: Tensor) -> Tensor:
    """log x with log 0 = -inf and, there, a gradient of 0 instead of the infinite one that would turn into NaN."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).log(), -torch.inf)
