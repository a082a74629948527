"""BEL: brain emotional learning, the amygdala held back by the orbitofrontal cortex.

Moren & Balkenius 2000, "A computational model of emotional learning in the amygdala" (From Animals to Animats 6); as a
controller, Lucas, Shahmirzadi & Sheikholeslami 2004, Intelligent Automation and Soft Computing 10(1).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.regulation.earlier.learner import Floats, Ints, Learner

RELATIVE_RATE = 0.1
"""Default of a * mean |s|^2 and of b * mean |s|^2: the share of a pattern's miss that one step takes away."""


class BEL(Learner):
    """One unit a class: an amygdala node that learns what is rewarded, and an orbitofrontal one that inhibits it.

        amygdala A = V . s        orbitofrontal O = W . s        response E = A - O
        dV = a * s * max(0, R - A)                               dW = b * s * (E - R)

    With s >= 0 the amygdala's weights only grow: what was once learned is inhibited, never unlearned. *Our reading*:

    - For K classes there are K such units and the reward R is one-hot; the likeliest class has the highest E.
    - V and W begin at 0, so nothing is drawn: the seed decides nothing, and the order of the patterns everything.
    - A and E in both rules are those before the step.
    - ``amygdala_rate`` (a) and ``orbitofrontal_rate`` (b): where None, 0.1 over the mean of ``|s|^2`` in training.
      A rate that suits three inputs makes a thousand diverge.
    - ``thalamus = True``: the amygdala alone also gets the strongest input, max(s), along the short way through the
      thalamus, as in the paper of 2000; off by default, since the rules above do not have it.

    Attributes:
        amygdala: ``(K, D)`` V, or ``(K, D + 1)`` with the thalamic weight last.
        orbitofrontal: ``(K, D)`` W.

    Raises:
        UsageError: a rate that is not positive.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        *,
        seed: int = 0,
        amygdala_rate: float | None = None,
        orbitofrontal_rate: float | None = None,
        thalamus: bool = False,
    ) -> None:
        super().__init__(num_features, num_classes, seed=seed)
        for name, rate in (("amygdala_rate", amygdala_rate), ("orbitofrontal_rate", orbitofrontal_rate)):
            if rate is not None and not rate > 0:
                raise UsageError(f"{name} = {rate}: above 0 is asked")
        self.amygdala_rate = amygdala_rate
        self.orbitofrontal_rate = orbitofrontal_rate
        self.thalamus = thalamus
        ways = num_features + thalamus
        self.amygdala = nn.Parameter(torch.zeros(num_classes, ways), requires_grad=False)
        self.orbitofrontal = nn.Parameter(torch.zeros(num_classes, num_features), requires_grad=False)

    def scores(self, features: Tensor) -> Tensor:
        """``(N, K)`` emotional responses E = A - O."""
        stimuli = torch.cat([features, features.amax(dim=1, keepdim=True)], dim=1) if self.thalamus else features
        return stimuli @ self.amygdala.T - features @ self.orbitofrontal.T

    def _learn(self, features: Floats, labels: Ints, order: Ints) -> dict[str, float]:
        state = self._arrays()
        v, w = state["amygdala"], state["orbitofrontal"]
        stimuli = np.concatenate([features, features.max(axis=1, keepdims=True)], axis=1) if self.thalamus else features
        a = self._rate(self.amygdala_rate, stimuli)
        b = self._rate(self.orbitofrontal_rate, features)
        rewards = np.eye(self.num_classes, dtype=features.dtype)
        squares = sum(emotional_step(v, w, stimuli[i], features[i], rewards[labels[i]], a, b) for i in order)
        self._keep(state)
        return {
            "error": squares / (len(order) * self.num_classes),
            "amygdala": float((stimuli @ v.T).mean()),
            "inhibition": float((features @ w.T).mean()),
        }

    @staticmethod
    def _rate(given: float | None, stimuli: Floats) -> float:
        if given is not None:
            return given
        return RELATIVE_RATE / max(float((stimuli**2).sum(axis=1).mean()), 1e-12)


def emotional_step(
    amygdala: Floats, orbitofrontal: Floats, stimulus: Floats, seen: Floats, reward: Floats, a: float, b: float
) -> float:
    """Change both weights, in place, by one pattern; its summed squared E - R before the change.

    Args:
        amygdala: ``(K, D or D + 1)`` V.
        orbitofrontal: ``(K, D)`` W.
        stimulus: s as the amygdala has it.
        seen: ``(D,)`` s as the orbitofrontal cortex has it.
        reward: ``(K,)`` R.
        a, b: rates of the amygdala and the orbitofrontal cortex.
    """
    response = amygdala @ stimulus
    surprise = response - orbitofrontal @ seen - reward
    amygdala += (a * np.maximum(0, reward - response))[:, None] * stimulus
    orbitofrontal += (b * surprise)[:, None] * seen
    return float(surprise @ surprise)
