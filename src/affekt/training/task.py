"""Task: the seam between a paper and the engine. It owns the model and says what the losses and the metrics are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from affekt.data.stimuli import Labels, Stimuli
from affekt.training.whitening import whiten_by

Outputs = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's pictures and labels, on the training device.

    Attributes:
        images: ``(B, 3, H, W)`` float in [0, 1], RGB, augmented in training; each network normalises for itself.
        labels: what is known of the pictures, by name: ``"category"`` is ``(B,)`` int64 (-1: unknown) or, after mixing,
            ``(B, K)`` float shares; ``"votes"`` ``(B, K)`` float; each rating dimension ``(B,)`` float, NaN not rated.
        items: ``(B,)`` int64, index of each picture in its split: the key of caches and of error messages.
        split: ``"train"``, ``"held-out"``, ``"validation"`` or ``"test"``.
        partner: ``(B,)`` int64 index *within the batch* of the picture mixed in (mixup, cutmix); None without.
        share: ``(B,)`` float, share of the picture itself (1: nothing mixed in).
        held_out: a second batch, from the slice the branches never see, where the task asked for one; training only.
        epoch, step: epoch from 0 and optimiser step from 0 over the whole run; -1 outside training.
    """

    images: Tensor
    labels: Mapping[str, Tensor]
    items: Tensor
    split: str = "train"
    partner: Tensor | None = None
    share: Tensor | None = None
    held_out: Batch | None = None
    epoch: int = -1
    step: int = -1

    def __len__(self) -> int:
        return len(self.items)


class Task(nn.Module, ABC):
    """A model with its losses and metrics; the trainer knows only this.

    A task is an ``nn.Module`` so that its parameters, buffers and mode are handled as one; ``state_dict`` holds all
    that a checkpoint needs.
    """

    monitor: str = "accuracy"
    """The metric (of the validation split) that selects the best weights."""

    higher_is_better: bool = True

    model: nn.Module
    """What is saved, loaded and used after training."""

    @property
    @abstractmethod
    def loss_names(self) -> tuple[str, ...]:
        """The names of the losses, in a fixed order: what a weighting is created for."""

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named, unweighted scalar losses, each a mean over the batch. Must be what ``forward`` calls (DDP)."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """``losses``; through ``forward`` so that ``DistributedDataParallel`` and ``torch.compile`` see it."""
        return self.losses(batch)

    @abstractmethod
    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """Per-item results in evaluation: name -> ``(B, ...)``; gathered over a split and handed to ``metrics``."""

    def score(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """``losses`` and ``outputs`` of a batch in evaluation; overridden where one forward pass gives both."""
        return self.losses(batch), self.outputs(batch)

    def finish(self, outputs: Outputs, labels: Labels) -> Outputs:
        """Outputs of a whole split -> those that are scored and kept; for what no single batch can know."""
        del labels
        return outputs

    @abstractmethod
    def metrics(self, outputs: Outputs, labels: Labels) -> dict[str, float]:
        """Metrics of one split from all its outputs, in the order of the split's items."""

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Optimiser groups; by default no decay on vectors (norms, biases), nothing that needs no gradient."""
        return decayed_groups(self.named_parameters(), learning_rate, weight_decay)

    def prepare(self, split: str, images: Any) -> None:
        """Called once a split, before it is used, with its un-augmented :class:`Stimuli`, e.g. to fill a cache.

        Their pictures are read from where the trainer keeps them (``images.images(indices)``: uint8, on its device).
        By those of ``"train"``, whitening layers are filled that are not yet.
        """
        if split == "train" and isinstance(images, Stimuli):
            whiten_by(self, images)


def decayed_groups(
    parameters: Iterable[tuple[str, nn.Parameter]], learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Two optimiser groups: matrices and kernels with weight decay, vectors (norms, biases) without."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for _, parameter in parameters:
        if parameter.requires_grad:
            (decayed if parameter.ndim > 1 else plain).append(parameter)
    groups = [
        {"params": decayed, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": plain, "lr": learning_rate, "weight_decay": 0.0},
    ]
    return [g for g in groups if g["params"]]
