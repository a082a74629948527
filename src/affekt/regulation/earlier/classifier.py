"""EarlierClassifier: an earlier learner on the frozen features of any backbone, as a model that is saved and loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from affekt.backbones.adopting import adopt
from affekt.backbones.inputs import features_of
from affekt.data.stimuli import Stimuli
from affekt.errors import UsageError
from affekt.regulation.classification_task import classes_of
from affekt.regulation.classifier import check_classes
from affekt.regulation.earlier.checking import checked_labels
from affekt.regulation.earlier.creating import create_learner
from affekt.regulation.earlier.fitting import EarlierResult, fit_learner
from affekt.regulation.earlier.learner import Ints
from affekt.regulation.earlier.scaling import UnitScaling
from affekt.saving import PretrainedModel
from affekt.training.plain import CHUNK, plain_batches

Labels = Tensor | Ints


class EarlierClassifier(PretrainedModel):
    """``(B, 3, H, W)`` RGB pictures in [0, 1] (or uint8), of any size -> ``(B, K)`` log-probabilities.

    The backbone is frozen, in evaluation mode, and sees un-augmented pictures; its features are scaled to [0, 1].

    Args:
        backbone: a name for ``affekt.create_backbone``, or a module with ``num_features`` that maps normalised images
            to ``(B, D)``, which is frozen; one with such a module cannot be saved.
        learner: ``"emnn"``, ``"back-propagation"``, ``"bel"`` or ``"linear"``.
        num_classes: K, 2 or more.
        image_size: side of what the backbone sees, pixels; other pictures are resized.
        initial: ``"random"``, ``"imagenet"``, or a path, as for ``create_backbone``.
        width: channels of the backbone's first stage, where it has such a setting.
        seed: of a random backbone, and of the learner until ``fit`` makes its own.
        settings: of the learner, e.g. ``{"num_hidden": 32}``.
        classes: the K names.

    Attributes:
        backbone, scaling, learner: the parts.
        mean, std: buffers, ``(1, 3, 1, 1)``: the normalisation that the backbone expects.

    Raises:
        UsageError: an unknown learner or setting, too few classes, and what ``create_backbone`` raises.
    """

    backbone: Any
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str | nn.Module,
        learner: str,
        num_classes: int,
        image_size: int = 224,
        *,
        initial: str = "random",
        width: float | None = None,
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        check_classes(num_classes, classes)
        self._arguments = {"backbone": backbone, "learner": learner, "width": width, "seed": seed}
        self._settings = dict(settings or {})
        self.num_classes = num_classes
        self.image_size = image_size
        self.classes = None if classes is None else tuple(classes)
        adopt(self, backbone, image_size, initial=initial, width=width, seed=seed)
        self.backbone.requires_grad_(False)
        self.scaling = UnitScaling(self.num_features)
        self.learner = create_learner(learner, self.num_features, num_classes, seed=seed, **self._settings)
        self.train()

    @property
    def num_features(self) -> int:
        """D, the length of the backbone's features."""
        return int(self.backbone.num_features)

    @property
    def num_learned(self) -> int:
        """Parameters that ``fit`` changes; none of them needs a gradient."""
        return self.learner.num_learned

    def train(self, mode: bool = True) -> Self:
        """As ever, but the frozen backbone stays in evaluation mode: its batch norms would move."""
        super().train(mode)
        self.backbone.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """``(B, D)`` scaled features, in [0, 1], of pictures as for ``forward``."""
        scaled: Tensor = self.scaling(features_of(self, images))
        return scaled

    def forward(self, images: Tensor) -> Tensor:
        return self.learner.log_probabilities(self.features(images))

    def fit(
        self,
        train: Stimuli | Tensor,
        labels: Labels | None = None,
        *,
        epochs: int = 20,
        seed: int = 0,
        validation: Stimuli | tuple[Tensor, Labels] | None = None,
        folder: Path | str | None = None,
    ) -> EarlierResult:
        """Train a fresh learner; features of all pictures are computed once, un-augmented.

        Args:
            train: stimuli, or ``(N, 3, H, W)`` pictures as for ``forward``.
            labels: ``(N,)`` 0 to K - 1; None: the classes of the stimuli, those without a class left out.
            epochs: 1 or more.
            seed: of the learner's initial weights and of the order of each epoch.
            validation: stimuli, or pictures with labels, that select the epoch; None: the last one is kept.
            folder: for checkpoints, as :func:`fit_learner` has them.

        Raises:
            UsageError: what :func:`fit_learner` refuses; pictures without labels.
            DataError: stimuli without classes.
            TrainingError, CheckpointError: as :func:`fit_learner`.
        """
        images, targets = self._raw(train, labels)
        held = None
        if validation is not None:
            held = self._raw(*validation) if isinstance(validation, tuple) else self._raw(validation, None)
        self.scaling.fit(images)
        kind = str(self._arguments["learner"])
        fresh = create_learner(kind, self.num_features, self.num_classes, seed=seed, **self._settings)
        self.learner = fresh.to(self.mean.device)
        return fit_learner(
            self.learner,
            self.scaling(images).cpu(),
            targets,
            epochs=epochs,
            seed=seed,
            validation=None if held is None else (self.scaling(held[0]).cpu(), held[1]),
            folder=folder,
        )

    @torch.no_grad()
    def _raw(self, pictures: Stimuli | Tensor, labels: Labels | None) -> tuple[Tensor, Tensor]:
        """Unscaled features on the model's device, and labels on the CPU."""
        if labels is None:
            if not isinstance(pictures, Stimuli):
                raise UsageError("pictures without labels: give labels, or Stimuli with classes")
            category = classes_of(pictures.labels)
            pictures, labels = pictures.take((category >= 0).nonzero()[0]), category[category >= 0]
        targets = checked_labels(labels, len(pictures), self.num_classes)
        return torch.cat([features_of(self, batch) for batch in self._batches(pictures)]), targets

    def _batches(self, pictures: Stimuli | Tensor) -> Iterator[Tensor]:
        device = self.mean.device
        if isinstance(pictures, Stimuli):
            return plain_batches(pictures, self.image_size, device=device)
        return (batch.to(device) for batch in torch.split(torch.as_tensor(pictures), CHUNK))

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them.

        Raises:
            UsageError: the backbone was given as a module, not by name.
        """
        if not isinstance(self._arguments["backbone"], str):
            raise UsageError("EarlierClassifier: its backbone was given as a module; give it by name to save the model")
        return {
            **self._arguments,
            "settings": self._settings,
            "num_classes": self.num_classes,
            "image_size": self.image_size,
            "classes": None if self.classes is None else list(self.classes),
        }
