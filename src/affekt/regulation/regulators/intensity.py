"""Intensity: the stronger the feeling, whatever it is, the larger r."""

from __future__ import annotations

from torch import Tensor

from affekt.regulation.regulators.base import Regulator, RegulatorSetup


class Intensity(Regulator):
    """``r = d^2 / (1 + d^2)`` with ``d^2`` the mean of the squared affect state; nothing is learned.

    The state is standardised, so its origin is the average affective stimulus, taken as neutral, and d is a distance
    from it in standard deviations: r = 0 at the origin, 0.5 one standard deviation away, towards 1 far from it. The
    category ``neutral`` does not count, since much of it is no strong feeling.
    """

    def __init__(self, setup: RegulatorSetup) -> None:
        super().__init__(setup)
        names = setup.state_names
        self._columns = [i for i, name in enumerate(names) if name != "neutral"] or list(range(len(names)))

    def weigh(self, affect: Tensor) -> Tensor:
        squared = affect[:, self._columns].float().square().mean(dim=1, keepdim=True)
        return 1 - 1 / (1 + squared)
