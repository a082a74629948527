"""create_learner: an earlier learner by name, with its settings."""

from __future__ import annotations

from typing import Any

from affekt.errors import UsageError, unknown
from affekt.regulation.earlier.back_propagation import BackPropagation
from affekt.regulation.earlier.bel import BEL
from affekt.regulation.earlier.emnn import EmNN
from affekt.regulation.earlier.learner import Learner
from affekt.regulation.earlier.linear import LinearSoftmax

LEARNERS: dict[str, type[Learner]] = {
    "emnn": EmNN,
    "back-propagation": BackPropagation,
    "bel": BEL,
    "linear": LinearSoftmax,
}


def create_learner(name: str, num_features: int, num_classes: int, *, seed: int = 0, **settings: Any) -> Learner:
    """A learner that knows nothing yet.

    Args:
        name: ``"emnn"``, ``"back-propagation"``, ``"bel"`` or ``"linear"``.
        num_features: D, numbers a pattern has.
        num_classes: K, 2 or more.
        seed: the initial weights are a pure function of it.
        settings: of the learner's constructor.

    Raises:
        UsageError: an unknown learner or setting, or a value out of its range.
    """
    if name not in LEARNERS:
        raise UsageError(unknown("learner", name, LEARNERS))
    kind = LEARNERS[name]
    for key in settings:
        if key not in kind.setting_names():
            raise UsageError(unknown(f"setting of {name}", key, kind.setting_names()))
    return kind(num_features, num_classes, seed=seed, **settings)
