"""Classifier: one backbone and a head - the baseline, and the non-emotional branch of a regulated model."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import torch
from torch import Tensor, nn

from affekt.backbones import read_classifier_head
from affekt.backbones.adopting import adopt
from affekt.backbones.inputs import features_of
from affekt.errors import UsageError
from affekt.saving import PretrainedModel
from affekt.training.transfer import keep_frozen_still


class Classifier(PretrainedModel):
    """``(B, 3, H, W)`` RGB pictures in [0, 1] (or uint8), of any size -> ``(B, K)`` logits.

    Args:
        backbone: a name for ``affekt.create_backbone``, or a module with ``num_features`` that maps normalised images
            to ``(B, D)``; one with such a module cannot be saved.
        num_classes: K, 2 or more.
        image_size: side of what the backbone sees, pixels; other pictures are resized.
        initial: ``"random"``, ``"imagenet"``, or a path to somebody's trained classifier, whose head is taken too where
            it has K classes.
        with_head: False: the head of such a classifier is not taken, since its classes are others.
        width: channels of the backbone's first stage, where it has such a setting.
        dropout: before the head.
        classes: the K names.

    Attributes:
        backbone, head: the parts.
        mean, std: buffers, ``(1, 3, 1, 1)``: the normalisation that the backbone expects.

    Raises:
        UsageError: too few classes or names that do not fit, and what ``create_backbone`` raises.
    """

    backbone: Any
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str | nn.Module,
        num_classes: int,
        image_size: int = 224,
        *,
        initial: str = "random",
        with_head: bool = True,
        width: float | None = None,
        dropout: float = 0.0,
        classes: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        check_classes(num_classes, classes)
        self._arguments = {"backbone": backbone, "width": width, "dropout": dropout}
        self.num_classes = num_classes
        self.image_size = image_size
        self.classes = None if classes is None else tuple(classes)
        adopt(self, backbone, image_size, initial=initial, width=width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.num_features, num_classes)
        if with_head and isinstance(backbone, str) and str(initial) not in ("random", "imagenet"):
            self._take_head(initial, backbone)

    @property
    def num_features(self) -> int:
        """D, the length of the backbone's features."""
        return int(self.backbone.num_features)

    @torch.no_grad()
    def _take_head(self, initial: str, backbone: str) -> None:
        found = read_classifier_head(initial, backbone)
        if found is not None and found[0].shape == self.head.weight.shape:
            self.head.weight.copy_(found[0])
            self.head.bias.copy_(found[1])

    def features(self, images: Tensor) -> Tensor:
        """``(B, D)`` features of pictures as for ``forward``."""
        return features_of(self, images)

    def classify(self, features: Tensor) -> Tensor:
        """``(B, D)`` features -> ``(B, K)`` logits."""
        logits: Tensor = self.head(self.dropout(features))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.features(images))

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for parts of which nothing learns."""
        super().train(mode)
        keep_frozen_still(self)
        return self

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them.

        Raises:
            UsageError: the backbone was given as a module, not by name.
        """
        if not isinstance(self._arguments["backbone"], str):
            raise UsageError("Classifier: its backbone was given as a module; give it by name to save the classifier")
        return {
            **self._arguments,
            "num_classes": self.num_classes,
            "image_size": self.image_size,
            "classes": None if self.classes is None else list(self.classes),
        }


def check_classes(num_classes: int, classes: Sequence[str] | None) -> None:
    """Raises:
    UsageError: fewer than two classes, or another number of names than classes.
    """
    if isinstance(num_classes, bool) or not isinstance(num_classes, Integral):
        raise UsageError(f"num_classes = {num_classes!r}: a whole number is asked")
    if num_classes < 2:
        raise UsageError(f"num_classes = {num_classes}: a classifier needs two classes or more")
    if classes is not None and len(classes) != num_classes:
        raise UsageError(f"classes: {len(classes)} names for {num_classes} classes")
