"""EmNN: emotional back-propagation (Khashman 2008, IEEE Transactions on Neural Networks 19(11), 1896-1909)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from affekt.errors import UsageError
from affekt.randomness import generator
from affekt.regulation.earlier.learner import Floats, Ints, Learner


class Rates(NamedTuple):
    """What a step multiplies: eta and alpha of ordinary weights, mu and k of emotional ones."""

    learning_rate: float
    momentum: float
    anxiety: float
    confidence: float


class EmNN(Learner):
    """One hidden layer of sigmoids whose neurons, hidden and output, have emotional weights beside the ordinary ones.

    An emotional weight is fed by Y, the mean of the input pattern, in [0, 1]. With delta the error signal of a neuron,
    h its input (a feature, a hidden neuron's answer, or 1 for the bias) and ``previous`` that weight's last change:

        ordinary   dw = eta * delta * h + alpha * previous
        emotional  dw = mu  * delta * Y + k     * previous
        anxiety    mu_i = mean of Y over all patterns + error_i
        confidence k_i  = mu_0 - mu_i
        output     delta = o (1 - o) (t - o);  hidden delta = h (1 - h) sum of weight * output delta

    so that anxiety falls and confidence rises as the error does; confidence is below 0 while the error is above its
    first value. What the source does not say, or we could not read, is *our reading*:

    - The target t is one-hot; error_i is the mean over patterns and outputs of (t - o)^2.
    - Anxiety and confidence hold for an epoch: error_0 is that of the initial weights, error_i that of epoch i, each
      pattern before it changes the weights. So k = 0 in the first epoch.
    - Y in a step is that of the step's own pattern.
    - Weights, emotional ones too, begin uniform in +-``initial_range``; 1 / sqrt(D) where that is None.
    - Each neuron has ``emotional_weights`` = 2 of them, both fed by Y and changed by the same rule: they act as one
      that makes steps twice as long, which is what 1 says.
    - Defaults of ``num_hidden``, ``learning_rate`` (eta) and ``momentum`` (alpha) are ours.

    ``emotional = False`` is the control: mu = k = 0, emotional weights of 0, ordinary back-propagation with momentum.

    Attributes:
        hidden, output: ``(H, D + 1)`` and ``(K, H + 1)`` weights, the bias last.
        hidden_emotional, output_emotional: ``(H, M)`` and ``(K, M)``.
        anxiety, confidence, first_anxiety: buffers, mu_i, k_i and mu_0; NaN before the first epoch.

    Raises:
        UsageError: a setting out of its range.
    """

    hidden: nn.Parameter
    output: nn.Parameter
    hidden_emotional: nn.Parameter
    output_emotional: nn.Parameter
    anxiety: Tensor
    confidence: Tensor
    first_anxiety: Tensor

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        *,
        seed: int = 0,
        num_hidden: int = 64,
        learning_rate: float = 0.1,
        momentum: float = 0.5,
        emotional_weights: int = 2,
        initial_range: float | None = None,
        emotional: bool = True,
    ) -> None:
        super().__init__(num_features, num_classes, seed=seed)
        if num_hidden < 1 or emotional_weights < 1:
            raise UsageError(
                f"num_hidden = {num_hidden}, emotional_weights = {emotional_weights}: both are 1 or more; "
                "for none, emotional = False"
            )
        if not (learning_rate > 0 and 0 <= momentum < 1):
            raise UsageError(f"learning_rate = {learning_rate}, momentum = {momentum}: above 0, and in [0, 1)")
        self.num_hidden = num_hidden
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.emotional_weights = emotional_weights
        self.initial_range = initial_range
        self.emotional = emotional
        self._create(1 / math.sqrt(num_features) if initial_range is None else initial_range)
        for name in ("anxiety", "confidence", "first_anxiety"):
            self.register_buffer(name, torch.tensor(math.nan))

    def _create(self, span: float) -> None:
        draws = generator("emnn", self.seed)
        for name, rows, inputs in (
            ("hidden", self.num_hidden, self.num_features),
            ("output", self.num_classes, self.num_hidden),
        ):
            ordinary = draws.uniform(-span, span, (rows, inputs + 1))
            felt = draws.uniform(-span, span, (rows, self.emotional_weights)) * self.emotional
            for part, values in ((name, ordinary), (f"{name}_emotional", felt)):
                weights = torch.from_numpy(values).float()
                self.register_parameter(part, nn.Parameter(weights, requires_grad=False))
                self.register_buffer(f"{part}_previous", torch.zeros_like(weights))

    def scores(self, features: Tensor) -> Tensor:
        """``(N, K)`` answers of the output neurons, in (0, 1)."""
        felt = features.mean(dim=1, keepdim=True)
        hidden = torch.sigmoid(self._sums("hidden", features, felt))
        return torch.sigmoid(self._sums("output", hidden, felt))

    def _sums(self, layer: str, inputs: Tensor, felt: Tensor) -> Tensor:
        weights, emotional = self.get_parameter(layer), self.get_parameter(f"{layer}_emotional")
        return inputs @ weights[:, :-1].T + weights[:, -1] + felt * emotional.sum(dim=1)

    def _learn(self, features: Floats, labels: Ints, order: Ints) -> dict[str, float]:
        state = self._arrays()
        felt = features.mean(axis=1)
        targets = np.eye(self.num_classes, dtype=features.dtype)
        if np.isnan(state["first_anxiety"]):
            first_error = float(np.mean((targets[labels] - self._answers(features)) ** 2))
            self._feel(state, float(felt.mean()) + first_error)
        anxiety, confidence = float(state["anxiety"]), float(state["confidence"])
        rates = Rates(self.learning_rate, self.momentum, anxiety * self.emotional, confidence * self.emotional)
        inputs = np.concatenate([features, np.ones_like(features[:, :1])], axis=1)
        squares = sum(emotional_step(state, inputs[i], felt[i], targets[labels[i]], rates) for i in order)
        error = squares / (len(order) * self.num_classes)
        self._feel(state, float(felt.mean()) + error)
        self._keep(state)
        return {"error": error, "anxiety": float(self.anxiety), "confidence": float(self.confidence)}

    def _answers(self, features: Floats) -> Floats:
        answers: Floats = self.scores(torch.from_numpy(features).to(self.hidden.device)).cpu().numpy()
        return answers

    @staticmethod
    def _feel(state: dict[str, Floats], anxiety: float) -> None:
        """Set mu, k and, the first time, mu_0."""
        if np.isnan(state["first_anxiety"]):
            state["first_anxiety"][...] = anxiety
        state["anxiety"][...] = anxiety
        state["confidence"][...] = state["first_anxiety"] - anxiety


def emotional_step(weights: dict[str, Floats], inputs: Floats, felt: float, target: Floats, rates: Rates) -> float:
    """Change all weights, in place, by one pattern; its summed squared error before the change.

    Args:
        weights: the arrays of :class:`EmNN` by name, with ``..._previous`` for each.
        inputs: ``(D + 1,)`` features and the bias's 1.
        felt: Y, the mean of the features.
        target: ``(K,)`` one-hot.
    """
    hidden = np.ones(len(weights["hidden"]) + 1, dtype=inputs.dtype)
    hidden[:-1] = expit(weights["hidden"] @ inputs + felt * weights["hidden_emotional"].sum(axis=1))
    output = expit(weights["output"] @ hidden + felt * weights["output_emotional"].sum(axis=1))
    missed = target - output
    delta = output * (1 - output) * missed
    # Before the output weights change: the error is blamed on the weights that made it.
    hidden_delta = (delta @ weights["output"])[:-1] * hidden[:-1] * (1 - hidden[:-1])
    _change(weights, "output", delta, hidden, felt, rates)
    _change(weights, "hidden", hidden_delta, inputs, felt, rates)
    return float(missed @ missed)


def _change(weights: dict[str, Floats], layer: str, delta: Floats, inputs: Floats, felt: float, rates: Rates) -> None:
    previous = weights[f"{layer}_previous"]
    previous *= rates.momentum
    previous += (rates.learning_rate * delta)[:, None] * inputs
    weights[layer] += previous
    previous = weights[f"{layer}_emotional_previous"]
    previous *= rates.confidence
    previous += (rates.anxiety * felt * delta)[:, None]
    weights[f"{layer}_emotional"] += previous
