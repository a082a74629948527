"""Rotation task: a classifier learns by how many quarter turns a picture was rotated; no label is used."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from affekt.data.stimuli import Labels
from affekt.randomness import integers
from affekt.training.classification import nll, scores
from affekt.training.task import Batch, Outputs, Task

TURNS = ("0", "90", "180", "270")
"""The four classes, in degrees against the clock."""


class RotationTask(Task):
    """Self-supervision by rotation (Gidaris, Singh & Komodakis 2018, arXiv:1803.07728), loss ``rotation``.

    In training each picture stands in a batch once, in an orientation drawn by (seed, epoch, picture), where the paper
    shows all four: a step then costs what a step with labels costs. In evaluation all four are scored. Metrics:
    ``accuracy`` and the others of a classifier, over all four orientations.

    Args:
        classifier: pictures in [0, 1] -> ``(B, 4)`` logits.
        seed: of the orientations.
        label_smoothing: share of each label that is spread evenly over the four.
    """

    def __init__(self, classifier: nn.Module, *, seed: int, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.model = classifier
        self.seed = seed
        self.label_smoothing = label_smoothing

    @property
    def loss_names(self) -> tuple[str, ...]:
        return ("rotation",)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        if batch.epoch < 0:
            return self._losses(self.outputs(batch)["log_probabilities"])
        turns = integers(batch.items, len(TURNS), seed=self.seed, epoch=batch.epoch, name="rotation")[:, 0]
        logs = self._log_probabilities(turned(batch.images, turns))
        return {"rotation": nll(logs, turns, self.label_smoothing)}

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """``log_probabilities``, ``(B, 4, 4)``: of each picture, in each orientation, for each orientation."""
        seen = [self._log_probabilities(torch.rot90(batch.images, k, (2, 3))) for k in range(len(TURNS))]
        return {"log_probabilities": torch.stack(seen, dim=1)}

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        found = self.outputs(batch)
        return self._losses(found["log_probabilities"]), found

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        del labels
        logs = outputs["log_probabilities"]
        return scores(logs.reshape(-1, len(TURNS)), np.tile(np.arange(len(TURNS)), len(logs)))

    def _losses(self, logs: Tensor) -> dict[str, Tensor]:
        turns = torch.arange(len(TURNS), device=logs.device).repeat(len(logs))
        return {"rotation": nll(logs.flatten(0, 1), turns, self.label_smoothing)}

    def _log_probabilities(self, images: Tensor) -> Tensor:
        return torch.log_softmax(self.model(images).float(), dim=1)


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """``(B, C, S, S)`` pictures, each by its own number of quarter turns against the clock, ``(B,)`` int64 in 0..3."""
    out = images
    for k in range(1, len(TURNS)):
        out = torch.where((turns == k)[:, None, None, None], torch.rot90(images, k, (2, 3)), out)
    return out
