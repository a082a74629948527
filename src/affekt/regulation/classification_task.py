"""Classification task: the baseline's loss and scores."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from affekt.data.stimuli import Labels
from affekt.errors import DataError
from affekt.training.classification import nll, scores
from affekt.training.task import Batch, Outputs, Task
from affekt.training.transfer import set_trainable


class ClassificationTask(Task):
    """Cross-entropy of one classifier, under the name ``classification``.

    Metrics: ``accuracy``, ``accuracy_of_majority``, ``balanced_accuracy``, ``nll``, ``ece``.

    Args:
        classifier: pictures in [0, 1] -> ``(B, K)`` logits: a :class:`Classifier`, or any such module.
        label_smoothing: share of each label that is spread evenly over the classes.
        trainable: ``"all"``, or of a :class:`Classifier` ``"head"`` or the number of last stages that learn; attention
            in a frozen backbone learns all the same.

    Raises:
        UsageError: another word, or more stages than there are.
    """

    def __init__(self, classifier: nn.Module, *, label_smoothing: float = 0.0, trainable: str | int = "all") -> None:
        super().__init__()
        self.model = classifier
        if trainable != "all":
            set_trainable(classifier, trainable)
        self.label_smoothing = label_smoothing

    @property
    def loss_names(self) -> tuple[str, ...]:
        return ("classification",)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return self._losses(self._log_probabilities(batch), batch)

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """``log_probabilities``, ``(B, K)``."""
        return {"log_probabilities": self._log_probabilities(batch)}

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        logs = self._log_probabilities(batch)
        return self._losses(logs, batch), {"log_probabilities": logs}

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        return scores(outputs["log_probabilities"], classes_of(labels))

    def _losses(self, logs: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {"classification": nll(logs, batch.labels["category"], self.label_smoothing)}

    def _log_probabilities(self, batch: Batch) -> Tensor:
        return torch.log_softmax(self.model(batch.images).float(), dim=1)


def classes_of(labels: Labels) -> np.ndarray:
    """``(N,)`` class of each picture.

    Raises:
        DataError: the set has no classes.
    """
    if labels.category is None:
        raise DataError("these pictures have no classes; a classifier needs a set with classes")
    return labels.category
