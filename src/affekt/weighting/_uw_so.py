"""UW-SO: weights by the inverse of the losses, softened."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from affekt.weighting._simplex import SMALLEST, Normalise, Simplex


class UWSO(Simplex):
    """``w = softmax((1 / L) / T)``, no gradient through ``1 / L``

    Soft optimal uncertainty weighting (Kirchdorfer et al., arXiv:2408.07985), for losses above 0. Nothing is learned,
    so nothing drifts, but T decides: it has to be tuned, and where it is small against ``1 / L`` all of the weight is
    with the smallest loss at once (losses of 1.0 and 0.1, T = 1: weights of .0001 and .9999).

    Args:
        tasks: the names of the losses.
        floor, temperature, normalise: as :class:`Simplex`.
    """

    name = "uw-so"
    collapse = "at once, where T is small against 1 / L"

    def __init__(
        self, tasks: Sequence[str], *, floor: float = 0.0, temperature: float = 1.0, normalise: Normalise = "none"
    ) -> None:
        super().__init__(tasks, floor=floor, temperature=temperature, normalise=normalise)

    @property
    def instead(self) -> str:
        return 'raise temperature or set normalise = "running" in [weighting], or use name = "uniform"'

    def _scores(self, losses: Tensor) -> Tensor:
        return losses.detach().clamp(min=SMALLEST).reciprocal()
