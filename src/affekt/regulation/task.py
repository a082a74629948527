"""Regulation task: how a regulated model learns, on which pictures each part of it, and how well it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import UsageError
from affekt.randomness import permutation
from affekt.regulation.affect_cache import AffectCache
from affekt.regulation.classification_task import classes_of
from affekt.regulation.metrics import regulation_metrics
from affekt.regulation.model import EmotionalRegulation, RegulationOutput
from affekt.training.classification import accuracy, nll, scores
from affekt.training.task import Batch, Outputs, Task, decayed_groups

PERMUTATIONS = 10
"""Of the affect states over a split, by which ``permuted_*`` are averaged."""


class RegulationTask(Task):
    """Losses and metrics of :class:`EmotionalRegulation`.

    Where a batch brings a held-out companion, the branches learn from the batch and the regulator from the companion:
    ``regulated`` is then the loss of the companion's pictures, with both branches as they are in evaluation (batch
    norms with their running statistics, no dropout) and without gradient.

    Metrics: of the regulated prediction ``accuracy``, ``accuracy_of_majority``, ``balanced_accuracy``, ``nll`` and
    ``ece``; ``non_emotional/accuracy``, ``influenced/accuracy``; ``permuted/accuracy``, with other pictures' affect
    states (where r depends on them); those of :func:`regulation_metrics`.

    Args:
        model: the regulated model.
        label_smoothing: share of each label that is spread evenly over the classes.
        affect_cache: use affect states of the un-augmented pictures, computed once a split.
        cached_features: keep the emotional features too; otherwise an influence that needs them gets those of the
            augmented picture. Seen: a branch memorises un-augmented features, and r follows it.
        cache_gib: what the cache may keep.
        cache_folder: where runs share what caches hold; None: each computes its own.
        emotional_learning_rate: of a fine-tuned emotional encoder; absent: that of everything else.
        permute_affect: a control: the regulator gets another picture's affect state, drawn within the batch in training
            and over the whole split in evaluation. Emotional features stay with their pictures.
        seed: of the permutations in evaluation.

    Raises:
        UsageError: a cache for an encoder that changes.
    """

    model: EmotionalRegulation

    def __init__(
        self,
        model: EmotionalRegulation,
        *,
        label_smoothing: float = 0.0,
        affect_cache: bool = False,
        cached_features: bool = False,
        cache_gib: float = 1.0,
        cache_folder: Path | None = None,
        emotional_learning_rate: float | None = None,
        permute_affect: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if affect_cache and not model.emotional_frozen:
            raise UsageError("affect_cache: a fine-tuned emotional encoder changes; freeze it or do without the cache")
        self.model = model
        self.label_smoothing = label_smoothing
        self.emotional_learning_rate = emotional_learning_rate
        self.permute_affect = permute_affect
        self.seed = seed
        keep = cached_features and model.influence.needs_features
        self.cache = (
            AffectCache(model.emotional, model.image_size, features=keep, memory_gib=cache_gib, folder=cache_folder)
            if affect_cache
            else None
        )

    @property
    def loss_names(self) -> tuple[str, ...]:
        return self.model.loss_names

    def prepare(self, split: str, images: Stimuli) -> None:
        """Fill whitening layers that are not yet, and the affect cache, where there is one."""
        super().prepare(split, images)
        if self.cache is not None:
            self.cache.fill(split, images)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The named losses of a batch, or of the batch and its held-out companion.

        Raises:
            UsageError: a held-out companion where the branches have no loss of their own.
        """
        if batch.held_out is not None and len(self.loss_names) == 1:
            raise UsageError(
                'held-out pictures for the regulator: the branches need losses of their own, losses = "all"'
            )
        found = self._losses(self._run(batch), batch)
        if batch.held_out is not None:
            found["regulated"] = self._held_out_loss(batch.held_out)
        return found

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """``log_probabilities``, ``non_emotional``, ``influenced`` (logits), ``regulation``, ``affect``; float32."""
        return _as_outputs(self._run(batch))

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        out = self._run(batch)
        return self._losses(out, batch), _as_outputs(out)

    def _run(self, batch: Batch) -> RegulationOutput:
        state = features = None
        if self.cache is not None and batch.split in self.cache:
            state, features = self.cache.state(batch), self.cache.features(batch)
        if self.permute_affect and self.training:
            state, features = self._permuted(batch, state, features)
        out: RegulationOutput = self.model(batch.images, affect=state, emotional_features=features)
        return out

    def _permuted(self, batch: Batch, state: Tensor | None, features: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The batch's affect states in another order, drawn under the seed of the step; each picture's own features."""
        if state is None:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.model.emotional_frozen):
                felt = self.model.emotional(batch.images)
            state = felt.state.float()
            features = felt.features if self.model.influence.needs_features else None
        return state[torch.randperm(len(state), device=state.device)], features

    def _losses(self, out: RegulationOutput, batch: Batch) -> dict[str, Tensor]:
        return self.model.losses(out, batch.labels["category"], self.label_smoothing)

    def _held_out_loss(self, batch: Batch) -> Tensor:
        with torch.no_grad(), evaluating(self.model):
            out = self._run(batch)
        regulation = self.model.regulator(out.affect, batch.images, self._own_features(batch))
        log_probabilities = self.model.mixed(out.non_emotional, out.influenced, regulation)
        return nll(log_probabilities, batch.labels["category"], self.label_smoothing)

    def _own_features(self, batch: Batch) -> Tensor | None:
        if not self.model.regulator.needs_features:
            return None
        with torch.no_grad(), evaluating(self.model):
            features: Tensor = self.model.non_emotional.features(batch.images)
        return features

    def finish(self, outputs: Outputs, labels: Labels) -> Outputs:
        """Where r is a function of affect: also what other pictures' affect states would have done.

        ``permuted_correct`` and ``permuted_nll``, ``(N,)``: means over ten permutations of the states over the split;
        NaN for pictures without a class. With ``permute_affect``, ``log_probabilities`` and ``regulation`` are those of
        the first permutation.
        """
        if not self.model.regulator.uses_affect:
            return outputs
        return self._tried(outputs, classes_of(labels))

    @torch.no_grad()
    def _tried(self, outputs: Outputs, target: np.ndarray[Any, Any]) -> Outputs:
        device = self.model.non_emotional.mean.device
        own, influenced, state = (
            torch.as_tensor(np.asarray(outputs[name]), device=device)
            for name in ("non_emotional", "influenced", "affect")
        )
        known = target >= 0
        rows, correct, loss = np.arange(len(target)), np.zeros(len(target)), np.zeros(len(target))
        first: dict[str, np.ndarray[Any, Any]] = {}
        for draw in range(PERMUTATIONS):
            order = permutation(len(target), seed=self.seed, epoch=draw, name="affect states")
            regulation = self.model.regulator(state[torch.as_tensor(order, device=device)])
            logs = self.model.mixed(own, influenced, regulation)
            mixed = logs.cpu().numpy()
            correct += mixed.argmax(axis=1) == target
            loss -= mixed[rows, target]
            if self.permute_affect and not first:
                first = {"log_probabilities": mixed, "regulation": regulation.cpu().numpy()}
        scored = {"permuted_correct": correct, "permuted_nll": loss}
        means = {name: np.where(known, total / PERMUTATIONS, np.nan) for name, total in scored.items()}
        return {**outputs, **first, **means}

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        target = classes_of(labels)
        known = target >= 0
        found = scores(outputs["log_probabilities"], target)
        for branch in ("non_emotional", "influenced"):
            predicted = np.asarray(outputs[branch]).argmax(axis=1)
            found[f"{branch}/accuracy"] = accuracy(predicted[known], target[known])
        if "permuted_correct" in outputs:
            found["permuted/accuracy"] = float(np.nanmean(np.asarray(outputs["permuted_correct"], dtype=np.float64)))
        classes = self.model.classes or tuple(map(str, range(self.model.num_classes)))
        names = self.model.emotional.state_names
        return found | regulation_metrics(outputs["regulation"], outputs["affect"], names, target, classes)

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """The regulator without weight decay, a fine-tuned emotional encoder with its own rate, the rest as usual."""
        parts: dict[str, list[tuple[str, nn.Parameter]]] = {"": [], "regulator": [], "emotional": []}
        for name, parameter in self.model.named_parameters():
            part = name.split(".")[0]
            parts[part if part in parts else ""].append((name, parameter))
        rate = learning_rate if self.emotional_learning_rate is None else self.emotional_learning_rate
        return [
            *decayed_groups(parts[""], learning_rate, weight_decay),
            *decayed_groups(parts["emotional"], rate, weight_decay),
            *decayed_groups(parts["regulator"], learning_rate, 0.0),
        ]


def _as_outputs(out: RegulationOutput) -> dict[str, Tensor]:
    return {
        "log_probabilities": out.log_probabilities,
        "non_emotional": out.non_emotional.float(),
        "influenced": out.influenced.float(),
        "regulation": out.regulation,
        "affect": out.affect,
    }


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A block in which a module is in evaluation mode; afterwards each part has the mode that it had."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
