"""LinearSoftmax: the plain head on the same features, learned pattern by pattern like the emotional ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.regulation.earlier.learner import Floats, Ints, Learner

RELATIVE_RATE = 0.5
"""Default of the rate * mean |x|^2: below 2, where a softmax's single steps begin to overshoot."""


class LinearSoftmax(Learner):
    """Softmax regression by single steps down the cross-entropy: dw = rate * (t - p) x, the bias as for x = 1.

    Args:
        learning_rate: of each step; None: 0.5 over the mean of ``|x|^2`` in training, the bias's 1 included.

    Weights begin at 0, so the seed decides nothing.

    Attributes:
        head: ``(K, D + 1)`` weights, the bias last.

    Raises:
        UsageError: a rate that is not positive.
    """

    scores_are_logits: ClassVar[bool] = True

    def __init__(
        self, num_features: int, num_classes: int, *, seed: int = 0, learning_rate: float | None = None
    ) -> None:
        super().__init__(num_features, num_classes, seed=seed)
        if learning_rate is not None and not learning_rate > 0:
            raise UsageError(f"learning_rate = {learning_rate}: above 0 is asked")
        self.learning_rate = learning_rate
        self.head = nn.Parameter(torch.zeros(num_classes, num_features + 1), requires_grad=False)

    def scores(self, features: Tensor) -> Tensor:
        """``(N, K)`` logits."""
        return features @ self.head[:, :-1].T + self.head[:, -1]

    def _learn(self, features: Floats, labels: Ints, order: Ints) -> dict[str, float]:
        state = self._arrays()
        weights = state["head"]
        inputs = np.concatenate([features, np.ones_like(features[:, :1])], axis=1)
        rate = self.learning_rate or RELATIVE_RATE / float((inputs**2).sum(axis=1).mean())
        targets = np.eye(self.num_classes, dtype=features.dtype)
        squares = 0.0
        for i in order:
            missed = targets[labels[i]] - softmax(weights @ inputs[i])
            weights += (rate * missed)[:, None] * inputs[i]
            squares += float(missed @ missed)
        self._keep(state)
        return {"error": squares / (len(order) * self.num_classes)}
