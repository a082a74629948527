"""UnitScaling: features to [0, 1], the range of the earlier learners' inputs, by statistics of the training set."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from affekt.errors import UsageError


class UnitScaling(nn.Module):
    """``(N, D)`` -> ``(N, D)`` in [0, 1]: 0 and 1 are each feature's least and greatest value in the training set.

    What lies outside of them is taken for the nearest, so that Y, the mean of a pattern, is in [0, 1] for any picture.
    A feature that never varied is 0. Before ``fit`` the range is [0, 1] itself.

    Attributes:
        low, high: buffers, ``(D,)`` float32.
    """

    low: Tensor
    high: Tensor

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(num_features))
        self.register_buffer("high", torch.ones(num_features))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Take the range from the ``(N, D)`` features of the training set, N >= 1.

        Raises:
            UsageError: another shape, or a feature that is NaN or infinite.
        """
        if features.ndim != 2 or features.shape[1] != len(self.low) or not len(features):
            raise UsageError(f"features {tuple(features.shape)}: give (N, {len(self.low)}), one pattern or more")
        bad = int((~features.isfinite()).any(dim=1).sum())
        if bad:
            raise UsageError(f"features: NaN or infinite in {bad} of {len(features)} patterns")
        self.low.copy_(features.amin(dim=0))
        self.high.copy_(features.amax(dim=0))

    def forward(self, features: Tensor) -> Tensor:
        span = self.high - self.low
        shares = (features.to(self.low.dtype) - self.low) / torch.where(span > 0, span, torch.ones_like(span))
        return torch.where(span > 0, shares, torch.zeros_like(shares)).clamp(0, 1)
