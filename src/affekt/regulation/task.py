"""Regulation task: how a regulated model learns, on which pictures each part of it, and how well it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import UsageError
from affekt.regulation.affect_cache import AffectCache
from affekt.regulation.classification_task import classes_of
from affekt.regulation.metrics import regulation_metrics
from affekt.regulation.model import EmotionalRegulation, RegulationOutput
from affekt.training.classification import accuracy, nll, scores
from affekt.training.task import Batch, Outputs, Task, decayed_groups


class RegulationTask(Task):
    """Losses and metrics of :class:`EmotionalRegulation`.

    Where a batch brings a held-out companion, the branches learn from the batch and the regulator from the companion:
    ``regulated`` is then the loss of the companion's pictures, with both branches as they are in evaluation (batch
    norms with their running statistics, no dropout) and without gradient.

    Metrics: of the regulated prediction ``accuracy``, ``accuracy_of_majority``, ``balanced_accuracy``, ``nll`` and
    ``ece``; ``non_emotional/accuracy``, ``influenced/accuracy``; those of :func:`regulation_metrics`.

    Args:
        model: the regulated model.
        label_smoothing: share of each label that is spread evenly over the classes.
        affect_cache: use affect states of the un-augmented pictures, computed once a split.
        cached_features: keep the emotional features too; otherwise an influence that needs them gets those of the
            augmented picture. Seen: a branch memorises un-augmented features, and r follows it.
        cache_gib: what the cache may keep.
        emotional_learning_rate: of a fine-tuned emotional encoder; absent: that of everything else.

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
        emotional_learning_rate: float | None = None,
    ) -> None:
        super().__init__()
        if affect_cache and not model.emotional_frozen:
            raise UsageError("affect_cache: a fine-tuned emotional encoder changes; freeze it or do without the cache")
        self.model = model
        self.label_smoothing = label_smoothing
        self.emotional_learning_rate = emotional_learning_rate
        keep = cached_features and model.influence.needs_features
        self.cache = (
            AffectCache(model.emotional, model.image_size, features=keep, memory_gib=cache_gib)
            if affect_cache
            else None
        )

    @property
    def loss_names(self) -> tuple[str, ...]:
        return self.model.loss_names

    def prepare(self, split: str, images: Stimuli) -> None:
        """Fill the affect cache, where there is one."""
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
        if self.cache is None or batch.split not in self.cache:
            out: RegulationOutput = self.model(batch.images)
            return out
        cached: RegulationOutput = self.model(
            batch.images, affect=self.cache.state(batch), emotional_features=self.cache.features(batch)
        )
        return cached

    def _losses(self, out: RegulationOutput, batch: Batch) -> dict[str, Tensor]:
        return self.model.losses(out, batch.labels["category"], self.label_smoothing)

    def _held_out_loss(self, batch: Batch) -> Tensor:
        with torch.no_grad(), evaluating(self.model):
            out = self._run(batch)
        regulation = self.model.regulator(out.affect, batch.images)
        log_probabilities = self.model.mixed(out.non_emotional, out.influenced, regulation)
        return nll(log_probabilities, batch.labels["category"], self.label_smoothing)

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        target = classes_of(labels)
        known = target >= 0
        found = scores(outputs["log_probabilities"], target)
        for branch in ("non_emotional", "influenced"):
            predicted = np.asarray(outputs[branch]).argmax(axis=1)
            found[f"{branch}/accuracy"] = accuracy(predicted[known], target[known])
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
