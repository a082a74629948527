"""Regulators: affect state -> regulation weight r in [0, 1], one a file.

To add one, write it in a file of its own and name it in ``REGULATORS``.
"""

from __future__ import annotations

from collections.abc import Sequence

from affekt.errors import UsageError, unknown
from affekt.regulation.regulators.base import STARTS, Regulator, RegulatorSetup
from affekt.regulation.regulators.constant import Constant
from affekt.regulation.regulators.features import Features
from affekt.regulation.regulators.intensity import Intensity
from affekt.regulation.regulators.learned import Learned
from affekt.regulation.regulators.per_class import PerClass
from affekt.regulation.regulators.random import Random
from affekt.regulation.regulators.scalar import Scalar
from affekt.regulation.regulators.valence import Valence

REGULATORS: dict[str, type[Regulator]] = {
    "constant": Constant,
    "random": Random,
    "intensity": Intensity,
    "valence": Valence,
    "learned": Learned,
    "per_class": PerClass,
    "scalar": Scalar,
    "features": Features,
}

__all__ = ["REGULATORS", "STARTS", "Regulator", "RegulatorSetup", "create_regulator"]


def create_regulator(
    name: str,
    state_names: Sequence[str],
    num_classes: int,
    *,
    start: str = "balanced",
    constant: float = 0.5,
    num_features: int = 0,
    inputs: int | None = None,
) -> Regulator:
    """A regulator by name; arguments as in :class:`RegulatorSetup`.

    Raises:
        UsageError: no such regulator (the nearest are named), or one that this affect state cannot feed.
    """
    if name not in REGULATORS:
        raise UsageError(unknown("regulator", name, REGULATORS))
    setup = RegulatorSetup(
        state_names=tuple(state_names),
        num_classes=num_classes,
        start=start,
        constant=constant,
        num_features=num_features,
        inputs=inputs,
    )
    return REGULATORS[name](setup)
