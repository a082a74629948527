"""Heads: from features to emotion categories and to ratings, any mix of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from affekt.errors import UsageError, unknown

KINDS = ("categories", "ratings")


@dataclass(frozen=True, kw_only=True)
class HeadOutput:
    """What the heads say, float32; None for a head that is not there.

    Attributes:
        category_logits: ``(B, K)``.
        ratings: ``(B, R)``, in standard deviations of the training labels around their mean.
        rating_log_variance: ``(B, R)``, log of the variance that each rating is said to have, in the same units.
    """

    category_logits: Tensor | None
    ratings: Tensor | None
    rating_log_variance: Tensor | None


class AffectHeads(nn.Module):
    """One linear map for the categories, one for the ratings (and their variances), on the same features.

    Args:
        num_features: D.
        categories: K names; none: no such head.
        ratings: R names of dimensions; none: no such head.
        variances: whether the ratings come with a variance each (Gaussian likelihood).
        dropout: share of the features dropped in training, before the heads.
    """

    def __init__(
        self,
        num_features: int,
        categories: Sequence[str],
        ratings: Sequence[str],
        *,
        variances: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.category_head = nn.Linear(num_features, len(categories)) if categories else None
        self.rating_head = nn.Linear(num_features, len(ratings)) if ratings else None
        self.variance_head = nn.Linear(num_features, len(ratings)) if ratings and variances else None

    def forward(self, features: Tensor) -> HeadOutput:
        """``(B, D)`` -> logits and ratings, in the heads' own type whatever autocast says."""
        with torch.autocast(features.device.type, enabled=False):
            x = self.dropout(features)
            return HeadOutput(
                category_logits=_linear(self.category_head, x),
                ratings=_linear(self.rating_head, x),
                rating_log_variance=_linear(self.variance_head, x),
            )


def _linear(head: nn.Linear | None, x: Tensor) -> Tensor | None:
    """A head's answer, in float32 or better; None for a head that is not there."""
    if head is None:
        return None
    y: Tensor = head(x.to(head.weight.dtype))
    return y.to(torch.promote_types(y.dtype, torch.float32))


def parse_heads(heads: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``{"categories": [...], "ratings": [...]}`` -> the two tuples of names; either may be empty.

    Raises:
        UsageError: another kind of head, a name given twice, one category alone, or no head at all.
    """
    for kind in heads:
        if kind not in KINDS:
            raise UsageError(unknown("head", kind, KINDS))
    for kind, names in heads.items():
        if isinstance(names, str) or len(set(names)) != len(names):
            raise UsageError(f"heads {kind} = {names!r}: give a list of different names")
    categories, ratings = (tuple(heads.get(kind, ())) for kind in KINDS)
    both = sorted({*categories} & {*ratings})
    if both:
        raise UsageError(f"heads: {', '.join(both)} is both a category and a rating; rename one")
    if len(categories) == 1:
        raise UsageError(f"heads categories = {list(categories)}: one category says nothing; give two or more")
    if not categories and not ratings:
        raise UsageError('heads: none given; write e.g. {"ratings": ["valence", "arousal"]}')
    return categories, ratings
