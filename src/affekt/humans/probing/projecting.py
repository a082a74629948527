"""Sparse random projection: wide layers brought to a length that keeps the distances between pictures."""

from __future__ import annotations

import math
import warnings

import numpy as np
import torch
from torch import Tensor

from affekt.randomness import generator

DISTORTION = 0.1
"""By what share squared distances may change, in :func:`enough_dimensions`."""


def enough_dimensions(pictures: int, distortion: float = DISTORTION) -> int:
    """Length at which the squared distances of so many pictures change by no more than ``distortion``, most likely.

    4 ln n / (eps^2 / 2 - eps^3 / 3) (Johnson & Lindenstrauss 1984; Dasgupta & Gupta 2003, theorem 2.1); 5,831 for 900.
    """
    return math.ceil(4 * math.log(max(pictures, 2)) / (distortion**2 / 2 - distortion**3 / 3))


class Projection:
    """``(B, D)`` -> ``(B, k)`` by a sparse random matrix (Li, Hastie & Church 2006).

    A share 1 / sqrt(D) of its cells is other than 0: plus or minus sqrt(sqrt(D) / k), so that lengths are kept on
    average. The matrix is a function of (seed, D, k) alone: networks and layers of one length share it.
    """

    def __init__(self, length: int, dimensions: int, *, seed: int) -> None:
        """
        Args:
            length: D.
            dimensions: k.
        """
        rng = generator("sparse random projection", seed, length, dimensions)
        share = 1 / math.sqrt(length)
        counts = rng.binomial(length, share, size=dimensions)
        columns = np.concatenate([np.sort(rng.choice(length, n, replace=False)) for n in counts])
        signs = rng.integers(2, size=len(columns)) * 2 - 1
        values = signs.astype(np.float32) * np.float32(math.sqrt(1 / share / dimensions))
        rows = np.concatenate([[0], np.cumsum(counts)])
        self.dimensions = dimensions
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that CSR tensors are in beta
            self._matrix = torch.sparse_csr_tensor(
                torch.from_numpy(rows),
                torch.from_numpy(columns),
                torch.from_numpy(values),
                size=(dimensions, length),
                check_invariants=True,
            )

    def __call__(self, features: Tensor) -> Tensor:
        if self._matrix.device != features.device:
            self._matrix = self._matrix.to(features.device)
        projected: Tensor = self._matrix @ features.float().T.contiguous()
        return projected.T
