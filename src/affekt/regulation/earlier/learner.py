"""Learner: what the earlier learners have in common: checks, the temperature, and weights that no gradient moves."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from affekt.errors import TrainingError, UsageError
from affekt.regulation.classifier import check_classes
from affekt.regulation.earlier.checking import checked_features, checked_labels, checked_order
from affekt.training.classification import accuracy, nll

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

TEMPERATURES = (0.01, 100.0)
"""Where the temperature is looked for; below, a training set without an error would ask for 0."""


class Learner(nn.Module, ABC):
    """``(N, D)`` features in [0, 1] -> ``(N, K)`` log-probabilities; learns pattern by pattern, by a rule of its own.

    The weights are parameters that take no gradient, so that they are counted and saved and no optimiser moves them;
    what the rule remembers from pattern to pattern is in buffers. A training can go on from ``state_dict``.

    Args:
        num_features: D, numbers a pattern has.
        num_classes: K, 2 or more.
        seed: the initial weights are a pure function of it.

    Attributes:
        temperature: buffer, scalar: log-probabilities are the log-softmax of scores / temperature.
        scores_are_logits: a property of the class: the temperature stays 1.

    Raises:
        UsageError: a number out of its range.
    """

    scores_are_logits: ClassVar[bool] = False
    num_features: int
    num_classes: int
    seed: int
    temperature: Tensor

    def __init__(self, num_features: int, num_classes: int, *, seed: int = 0) -> None:
        super().__init__()
        check_classes(num_classes, None)
        if isinstance(num_features, bool) or not isinstance(num_features, Integral) or num_features < 1:
            raise UsageError(f"num_features = {num_features!r}: a whole number from 1 is asked")
        self.num_features = int(num_features)
        self.num_classes = int(num_classes)
        self.seed = seed
        self.register_buffer("temperature", torch.ones(()))

    @property
    def num_learned(self) -> int:
        """Parameters that its rule changes."""
        return sum(p.numel() for p in self.parameters())

    @classmethod
    def setting_names(cls) -> tuple[str, ...]:
        """The names of the constructor's settings; each is an attribute too."""
        return tuple(n for n in inspect.signature(cls).parameters if n not in ("num_features", "num_classes", "seed"))

    @property
    def settings(self) -> dict[str, Any]:
        """Name -> value, what ``create_learner`` makes an equal learner of."""
        return {name: getattr(self, name) for name in self.setting_names()}

    @abstractmethod
    def scores(self, features: Tensor) -> Tensor:
        """``(N, K)``, the more the likelier; ``features`` ``(N, D)`` are on the weights' device and of their type."""

    @abstractmethod
    def _learn(self, features: Floats, labels: Ints, order: Ints) -> dict[str, float]:
        """Change the weights once for each row number in ``order``; named numbers of the epoch for the log."""

    @torch.no_grad()
    def fit_epoch(
        self, features: Tensor | Floats, labels: Tensor | Ints, order: Tensor | Ints | Sequence[int]
    ) -> dict[str, float]:
        """One pass over the training patterns, one after the other; on the CPU, wherever the weights are.

        Args:
            features: ``(N, D)`` float in [0, 1]: the whole training set, the same in every epoch.
            labels: ``(N,)`` whole numbers, 0 to K - 1.
            order: row numbers in the order in which they are learned, e.g. ``affekt.randomness.permutation(n, ...)``.

        Returns:
            ``loss`` (mean negative log-likelihood) and ``accuracy`` of all N after the epoch, and what the learner
            adds: ``error`` (mean over patterns and classes of the squared difference of target and answer, each pattern
            *before* it changes the weights), ``anxiety``, ``confidence`` ...

        Raises:
            UsageError: shapes that do not fit, features that are NaN, infinite or outside of [0, 1], labels or row
                numbers out of range.
            TrainingError: the weights are no longer finite.
        """
        inputs = checked_features(features, self.num_features)
        targets = checked_labels(labels, len(inputs), self.num_classes)
        rows = checked_order(order, len(inputs))
        dtype = self._weights().dtype
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, in words
            numbers = self._learn(inputs.to("cpu", dtype).numpy(), targets.numpy(), rows)
        if not all(p.isfinite().all() for p in self.parameters()):
            raise TrainingError(f"{type(self).__name__}: its weights are no longer finite; lower its rates")
        scores = self.scores(inputs.to(self._weights()))
        known = targets.to(scores.device)
        if not self.scores_are_logits:
            self.temperature.fill_(best_temperature(scores, known))
        logs = torch.log_softmax(scores / self.temperature, dim=1)
        right = accuracy(logs.argmax(dim=1).cpu().numpy(), targets.numpy())
        return {"loss": float(nll(logs, known)), "accuracy": right, **numbers}

    def log_probabilities(self, features: Tensor | Floats) -> Tensor:
        """``(N, K)`` log-probabilities of ``(N, D)`` features in [0, 1]: the log-softmax of scores / temperature.

        Our reading: EmNN's outputs and BEL's emotional responses are scores, no probabilities; none of the papers makes
        probabilities of them. The temperature has the lowest negative log-likelihood on the training patterns, after
        each epoch; it changes no decision.

        Raises:
            UsageError: another shape, or (looked at on a CPU only) features that ``fit_epoch`` refuses.
        """
        scores = self.scores(checked_features(features, self.num_features).to(self._weights()))
        return torch.log_softmax(scores / self.temperature, dim=1)

    forward = log_probabilities

    def _weights(self) -> Tensor:
        """Any of them: where they are and of what type."""
        return next(self.parameters())

    def _arrays(self) -> dict[str, Floats]:
        """A copy of all weights and memories as arrays by name, for ``_learn``."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.state_dict().items()}

    def _keep(self, arrays: dict[str, Floats]) -> None:
        """Put the arrays back where they came from."""
        state = self.state_dict()
        for name, array in arrays.items():
            state[name].copy_(torch.from_numpy(np.asarray(array)))


def best_temperature(scores: Tensor, labels: Tensor) -> float:
    """T of the lowest mean negative log-likelihood of softmax(scores / T), within ``TEMPERATURES``.

    The likelihood has one maximum in 1 / T (a softmax is log-concave in its logits).
    """
    values = scores.double()

    def loss(log_temperature: float) -> float:
        return float(nll(torch.log_softmax(values / np.exp(log_temperature), dim=1), labels))

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))
