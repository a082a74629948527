"""Affect network: a picture in, the affect state that it elicits out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from affekt.affect import AffectState, RatingScale
from affekt.backbones.adopting import adopt
from affekt.backbones.inputs import features_of
from affekt.errors import DataError, UsageError, unknown
from affekt.perception.heads import AffectHeads, parse_heads
from affekt.perception.losses import RATINGS_LOSSES
from affekt.saving import PretrainedModel
from affekt.training.transfer import keep_frozen_still

CONSTANT = 1e-6
"""Standard deviation below which a dimension of the state is taken as constant: it is centred, but not blown up."""


@dataclass(frozen=True, kw_only=True)
class AffectOutput:
    """What an affect network says of B pictures, float32; None for a head that is not there.

    Attributes:
        features: ``(B, D)`` of the backbone.
        state: ``(B, A)``, the affect state e: category probabilities, then ratings, each standardised with its mean and
            standard deviation over the network's own training pictures. What regulation consumes.
        category_logits: ``(B, K)``.
        category_probabilities: ``(B, K)``.
        ratings: ``(B, R)``, in standard deviations of the training labels around their mean.
        rating_values: ``(B, R)``, the same in units of the scale.
        rating_log_variance: ``(B, R)`` log-variance of ``ratings``, with ``ratings_loss = "gaussian-nll"``.
    """

    features: Tensor
    state: Tensor
    category_logits: Tensor | None = None
    category_probabilities: Tensor | None = None
    ratings: Tensor | None = None
    rating_values: Tensor | None = None
    rating_log_variance: Tensor | None = None


torch.export.register_dataclass(AffectOutput)  # so that torch.export takes the network as it is


class AffectNetwork(PretrainedModel):
    """Backbone + affect heads: ``(B, 3, H, W)`` RGB pictures in [0, 1] (or uint8) of any size -> :class:`AffectOutput`.

    Args:
        backbone: a name for ``affekt.create_backbone``, or a module with ``num_features`` (and ``stages()``, to freeze
            parts of it) that maps normalised images to ``(B, D)``; one with such a module cannot be saved.
        heads: ``{"categories": [...], "ratings": [...]}``, either or both.
        image_size: side of what the backbone sees, pixels; other pictures are resized.
        initial: initial weights of the backbone: ``"random"``, ``"imagenet"`` or a path.
        width: channels of the backbone's first stage, where it has such a setting.
        dropout: before the heads.
        scale: lowest and highest rating, for ``describe``.
        ratings_loss: what the ratings will be trained with; ``"gaussian-nll"`` adds a variance to each.

    Attributes:
        backbone, heads: the parts.
        mean, std: buffers, ``(1, 3, 1, 1)``: the normalisation that the backbone expects.
        rating_mean, rating_std: buffers, ``(R,)``: of the training labels, see :meth:`standardise`.
        state_mean, state_std: buffers, ``(A,)``: of the state before it is standardised, see :meth:`calibrate`.

    Raises:
        UsageError: heads, scale or loss that make no sense, or what ``create_backbone`` raises.
    """

    backbone: Any
    mean: Tensor
    std: Tensor
    rating_mean: Tensor
    rating_std: Tensor
    state_mean: Tensor
    state_std: Tensor

    def __init__(
        self,
        backbone: str | nn.Module,
        heads: Mapping[str, Sequence[str]],
        image_size: int = 224,
        *,
        initial: str = "random",
        width: float | None = None,
        dropout: float = 0.0,
        scale: Sequence[float] | None = None,
        ratings_loss: str = "mse",
    ) -> None:
        super().__init__()
        if ratings_loss not in RATINGS_LOSSES:
            raise UsageError(unknown("ratings_loss", ratings_loss, RATINGS_LOSSES))
        self.categories, self.ratings = parse_heads(heads)
        self.scale = None if scale is None else RatingScale(*map(float, scale))
        self.image_size = image_size
        self.ratings_loss = ratings_loss
        self._arguments = {"backbone": backbone, "width": width, "dropout": dropout}
        adopt(self, backbone, image_size, initial=initial, width=width)
        self.heads = AffectHeads(
            self.num_features,
            self.categories,
            self.ratings,
            variances=ratings_loss == "gaussian-nll",
            dropout=dropout,
        )
        for name, size in (("rating", len(self.ratings)), ("state", self.state_size)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))

    @property
    def num_features(self) -> int:
        """D, the length of ``features``."""
        return int(self.backbone.num_features)

    @property
    def state_names(self) -> tuple[str, ...]:
        """What each of the A numbers of the state is about: the categories, then the rating dimensions."""
        return (*self.categories, *self.ratings)

    @property
    def state_size(self) -> int:
        """A, the length of the state."""
        return len(self.state_names)

    def forward(self, images: Tensor) -> AffectOutput:
        features = features_of(self, images)
        features = features.to(torch.promote_types(torch.float32, features.dtype))
        heads = self.heads(features)
        probabilities = None if heads.category_logits is None else torch.softmax(heads.category_logits, dim=1)
        parts = [part for part in (probabilities, heads.ratings) if part is not None]
        return AffectOutput(
            features=features,
            state=(torch.cat(parts, dim=1) - self.state_mean) / self.state_std,
            category_logits=heads.category_logits,
            category_probabilities=probabilities,
            ratings=heads.ratings,
            rating_values=None if heads.ratings is None else heads.ratings * self.rating_std + self.rating_mean,
            rating_log_variance=heads.rating_log_variance,
        )

    def standardise(self, ratings: Mapping[str, Any]) -> None:
        """Set ``rating_mean`` and ``rating_std`` from training labels: dimension -> ``(N,)``, NaN where not rated.

        Raises:
            DataError: a dimension without two different ratings.
        """
        for index, name in enumerate(self.ratings):
            values = np.asarray(ratings[name], dtype=np.float64)
            values = values[~np.isnan(values)]
            if values.size < 2 or values.std() <= 0:
                raise DataError(f"{name}: {values.size} rating(s) that do not differ; nothing can be learned from them")
            self.rating_mean[index], self.rating_std[index] = float(values.mean()), float(values.std())

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Set ``state_mean`` and ``state_std`` from pictures: after training, the training pictures, un-augmented.

        The state of these pictures then has mean 0 and standard deviation 1 in each dimension (a dimension that is the
        same for all of them is only centred).

        Args:
            batches: ``(B, 3, H, W)`` pictures, as for ``forward``; one pass in evaluation mode.

        Raises:
            DataError: no picture at all.
        """
        self.state_mean.zero_()
        self.state_std.fill_(1.0)
        mode = self.training
        self.eval()
        states = [self(images.to(self.mean.device)).state.double() for images in batches]
        self.train(mode)
        if not states:
            raise DataError("calibrate: no pictures; give batches of the network's own training pictures")
        std, mean = torch.std_mean(torch.cat(states), dim=0, correction=0)
        self.state_mean.copy_(mean)
        self.state_std.copy_(torch.where(std > CONSTANT, std, torch.ones_like(std)))

    @torch.no_grad()
    def describe(self, images: Tensor) -> list[AffectState]:
        """The affect state of each picture in people's terms; ratings are kept within the scale.

        Runs in evaluation mode, whatever the mode.
        """
        mode = self.training
        self.eval()
        out = self(images)
        self.train(mode)
        return [self._described(out, index) for index in range(len(out.state))]

    def _described(self, out: AffectOutput, index: int) -> AffectState:
        values = out.rating_values
        if values is not None and self.scale is not None:
            values = values.clamp(self.scale.low, self.scale.high)
        return AffectState(
            probabilities=_named(self.categories, out.category_probabilities, index),
            ratings=_named(self.ratings, values, index),
            standardised=_named(self.ratings, out.ratings, index),
            scale=self.scale,
        )

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
            raise UsageError("AffectNetwork: its backbone was given as a module; give it by name to save the network")
        return {
            **self._arguments,
            "heads": {"categories": list(self.categories), "ratings": list(self.ratings)},
            "image_size": self.image_size,
            "scale": None if self.scale is None else [self.scale.low, self.scale.high],
            "ratings_loss": self.ratings_loss,
        }


def _named(names: Sequence[str], values: Tensor | None, index: int) -> dict[str, float]:
    return {} if values is None else dict(zip(names, values[index].tolist(), strict=True))
