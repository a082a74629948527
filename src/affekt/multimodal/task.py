"""Audio-visual task: how a network learns several tasks from clips at once, and how well it does each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from affekt.data.stimuli import Labels
from affekt.errors import DataError, UsageError, unknown
from affekt.multimodal.batch import AudioVisualBatch
from affekt.multimodal.dropping import Draw
from affekt.multimodal.metrics import task_metrics
from affekt.multimodal.network import AudioVisualNetwork, AudioVisualOutput
from affekt.training.task import Batch, Outputs, Task

GIVEN = ("all", "audio", "video")


class AudioVisualTask(Task):
    """Cross-entropy of each of the network's tasks, under the task's name; a weighting makes them one.

    Metrics: see :func:`~affekt.multimodal.metrics.task_metrics`. The best weights are those with the highest mean
    balanced accuracy on the validation split.

    Args:
        network: an :class:`AudioVisualNetwork`; becomes ``model``.
        label_smoothing: of every loss.
        seed: of modality dropout.
        shares: task -> ``(K,)`` share of each class in training, above 0. With them, classes count alike in training
            however many clips they have: log-shares are added to the logits there and left out in evaluation (logit
            adjustment, Menon et al. 2021, arXiv:2007.07314, equation 10), which is what balanced accuracy asks for.
        given: what of each clip the network is given: ``"all"``, or ``"audio"`` or ``"video"`` alone, to score a
            network that has learned both by each.

    Raises:
        UsageError: another word, or a modality that the network does not read.
    """

    model: AudioVisualNetwork
    monitor = "balanced_accuracy"

    def __init__(
        self,
        network: AudioVisualNetwork,
        *,
        label_smoothing: float = 0.0,
        shares: Mapping[str, ArrayLike] | None = None,
        seed: int = 0,
        given: str = "all",
    ) -> None:
        super().__init__()
        if given not in GIVEN:
            raise UsageError(unknown("given", given, GIVEN))
        if (given == "audio" and network.hearing is None) or (given == "video" and network.seeing is None):
            raise UsageError(f'given = "{given}": this network reads none; write "all"')
        self.model = network
        self.label_smoothing = label_smoothing
        self.seed = seed
        self.given = given
        self._adjusted = tuple(shares or ())
        for task, values in (shares or {}).items():
            logs = torch.tensor(np.log(np.asarray(values, dtype=np.float64)), dtype=torch.float32)
            self.register_buffer(f"log_shares_{task}", logs, persistent=False)

    @property
    def loss_names(self) -> tuple[str, ...]:
        return tuple(self.model.tasks)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return self._losses(self._said(batch), batch)

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """``<task>/log_probabilities``, ``(B, K)``."""
        return _as_outputs(self._said(batch))

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        out = self._said(batch)
        return self._losses(out, batch), _as_outputs(out)

    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        """Metrics of one split; ``labels.extra`` has ``(N,)`` int64 of each task, -1 where not known.

        Raises:
            DataError: no labels of a task.
        """
        logs = {task: outputs[f"{task}/log_probabilities"] for task in self.model.tasks}
        return task_metrics(logs, {task: self._targets(task, labels.extra) for task in logs}, self.model.class_names)

    def _targets(self, task: str, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        if task not in columns:
            raise DataError(f'no labels of the task "{task}"; these clips have {", ".join(columns) or "none"}')
        return np.asarray(columns[task])

    def _losses(self, out: AudioVisualOutput, batch: Batch) -> dict[str, Tensor]:
        return self.model.losses(self._balanced(out), batch.labels, self.label_smoothing)

    def _balanced(self, out: AudioVisualOutput) -> AudioVisualOutput:
        """What training asks of the logits: to be right once the classes' numbers are added to them."""
        if not (self.training and self._adjusted):
            return out
        logits = {t: out.logits[t] + self.get_buffer(f"log_shares_{t}") for t in self._adjusted if t in out.logits}
        logs = {task: torch.log_softmax(values, dim=1) for task, values in logits.items()}
        return replace(out, log_probabilities={**out.log_probabilities, **logs})

    def _said(self, batch: Batch) -> AudioVisualOutput:
        if not isinstance(batch, AudioVisualBatch):
            raise UsageError(f"AudioVisualTask: a {type(batch).__name__}; give an affekt.multimodal.AudioVisualBatch")
        drawn = self.training and self.model.modality_dropout
        out: AudioVisualOutput = self.model(
            batch.audio if self.given != "video" else None,
            batch.frames if self.given != "audio" else None,
            batch.lengths,
            has_audio=batch.has_audio,
            has_video=batch.has_video,
            draw=Draw(seed=self.seed, step=batch.step, items=batch.items) if drawn else None,
        )
        return out


def _as_outputs(out: AudioVisualOutput) -> dict[str, Tensor]:
    return {f"{task}/log_probabilities": logs.detach() for task, logs in out.log_probabilities.items()}
