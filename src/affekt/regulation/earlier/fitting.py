"""Fitting: the epochs of an earlier learner, selected on validation patterns only; can be interrupted and go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from affekt.errors import UsageError
from affekt.randomness import permutation
from affekt.regulation.earlier.checking import checked_features, checked_labels
from affekt.regulation.earlier.learner import Floats, Ints, Learner
from affekt.training.checkpoint import Checkpoint, Checkpoints
from affekt.training.classification import scores
from affekt.training.selection import Selection
from affekt.training.state import load_module, module_tensors

Patterns = tuple[Tensor, Tensor]
"""``(N, D)`` features in [0, 1] and ``(N,)`` classes, on the CPU."""


@dataclass(frozen=True, kw_only=True)
class EarlierResult:
    """What a fit says of itself.

    Attributes:
        history: one entry an epoch: ``epoch`` (from 1), what ``fit_epoch`` returned, and with validation patterns
            ``validation/accuracy``, ``validation/nll`` ... (those of ``affekt.training.classification.scores``).
        best_epoch: the one whose weights the learner has now, from 1: the first of the highest validation accuracy;
            without validation patterns the last.
    """

    history: tuple[Mapping[str, float], ...]
    best_epoch: int

    @property
    def best(self) -> Mapping[str, float]:
        """The numbers of the best epoch."""
        return self.history[self.best_epoch - 1]


def fit_learner(
    learner: Learner,
    features: Tensor | Floats,
    labels: Tensor | Ints,
    *,
    epochs: int = 20,
    seed: int = 0,
    validation: tuple[Tensor | Floats, Tensor | Ints] | None = None,
    folder: Path | str | None = None,
) -> EarlierResult:
    """Train a learner on features, or on flattened pixels; it is left with the weights of the best epoch.

    Args:
        learner: trained from the weights that it has.
        features: ``(N, D)`` float in [0, 1].
        labels: ``(N,)`` 0 to K - 1.
        epochs: 1 or more.
        seed: the order of epoch i is ``affekt.randomness.permutation(N, seed=seed, epoch=i)``.
        validation: features and labels that select the epoch; None: the last one is kept.
        folder: for a checkpoint an epoch; a call that was interrupted goes on from there, to the same bits, and one
            with more epochs goes on from the last. None: nothing is written.

    Raises:
        UsageError: arguments out of range, what ``fit_epoch`` refuses, or a folder with another training in it.
        TrainingError: weights that are no longer finite.
        CheckpointError: all checkpoints are damaged, or one cannot be written.
    """
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise UsageError(f"epochs = {epochs!r}: a whole number from 1 is asked")
    train = _patterns(learner, features, labels)
    kept = None if validation is None else _patterns(learner, *validation)
    fitting = _Fitting(learner, _identity(learner, seed, train, kept))
    checkpoints = None if folder is None else Checkpoints(Path(folder))
    if checkpoints is not None:
        fitting.resume(checkpoints, epochs)
    for epoch in range(len(fitting.history), epochs):
        fitting.one(epoch, train, kept, permutation(len(train[1]), seed=seed, epoch=epoch))
        if checkpoints is not None:
            checkpoints.write(fitting.checkpoint())
    return fitting.result()


class _Fitting:
    """A learner, what its epochs brought and the best of them: all that a checkpoint keeps."""

    def __init__(self, learner: Learner, identity: str) -> None:
        self.learner = learner
        self.identity = identity
        self.selection = Selection(monitor="accuracy")
        self.history: list[dict[str, float]] = []

    def one(self, epoch: int, train: Patterns, validation: Patterns | None, order: Ints) -> None:
        """Learn an epoch, from 0, and offer its weights."""
        numbers = {"epoch": epoch + 1, **self.learner.fit_epoch(*train, order)}
        if validation is not None:
            with torch.no_grad():
                logs = self.learner.log_probabilities(validation[0]).cpu()
            found = scores(logs, validation[1])
            self.selection.offer(epoch + 1, found, self._weights)
            numbers |= {f"validation/{name}": value for name, value in found.items()}
        self.history.append(numbers)

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in module_tensors(self.learner).items()}

    def result(self) -> EarlierResult:
        """The result; puts the best weights into the learner."""
        if self.selection.weights is not None:
            self.learner.load_state_dict(self.selection.weights)
        return EarlierResult(history=tuple(self.history), best_epoch=self.selection.epoch or len(self.history))

    def checkpoint(self) -> Checkpoint:
        state = {"identity": self.identity, "history": self.history, "selection": self.selection.state()}
        tensors = {"model": module_tensors(self.learner)}
        if self.selection.weights is not None:
            tensors["best"] = self.selection.weights
        return Checkpoint(step=len(self.history), state=state, tensors=tensors)

    def resume(self, checkpoints: Checkpoints, epochs: int) -> None:
        """Go on from the newest checkpoint, where there is one."""
        checkpoints.clean()
        found = checkpoints.latest()
        if found is None:
            return
        place = checkpoints.folder
        if found.state.get("identity") != self.identity:
            raise UsageError(f"{place}: holds a training of another learner, seed or data; choose another folder")
        if found.step > epochs:
            raise UsageError(f"{place}: holds {found.step} epochs, {epochs} are asked; choose another folder")
        load_module(self.learner, found.tensors["model"], str(place))
        self.selection.load(found.state["selection"], dict(found.tensors["best"]) if "best" in found.tensors else None)
        self.history = list(found.state["history"])


def _patterns(learner: Learner, features: Tensor | Floats, labels: Tensor | Ints) -> Patterns:
    inputs = checked_features(features, learner.num_features).cpu()
    return inputs, checked_labels(labels, len(inputs), learner.num_classes)


def _identity(learner: Learner, seed: int, *sets: Patterns | None) -> str:
    """SHA-256 of all that decides what an epoch brings: learner and initial weights, seed, training and validation."""
    digest = hashlib.sha256(json.dumps([type(learner).__name__, learner.settings, seed], sort_keys=True).encode())
    arrays = [array for patterns in sets for array in patterns or ()]
    for array in (*module_tensors(learner).values(), *arrays):
        digest.update(f"{tuple(array.shape)} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()
