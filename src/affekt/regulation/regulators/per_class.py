"""Per class: an r for each class, learned; which branch to trust may depend on what is being judged."""

from __future__ import annotations

from affekt.regulation.regulators.base import RegulatorSetup
from affekt.regulation.regulators.learned import Learned


class PerClass(Learned):
    """``r_k = sigmoid(w_k . e + b_k)``, ``(B, K)``; the mixed probabilities are rescaled to sum to one."""

    @staticmethod
    def count(setup: RegulatorSetup) -> int:
        return setup.num_classes
