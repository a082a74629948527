"""Valence as classes: negative, positive and, if wanted, neutral, from votes, categories or ratings of any set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from affekt.affect import POLARITIES, majority, polarity
from affekt.data.stimuli import Floats32, Ints, Labels
from affekt.errors import DataError, UsageError

TWO, THREE = ("negative", "positive"), POLARITIES


def valence_classes(labels: Labels, *, neutral: bool, margin: float = 0.0) -> Labels:
    """The same stimuli with valence as their categories.

    Votes are added up by the polarity of their emotion (surprise and its like, on whose valence people differ, do not
    count), and without ``neutral`` neutral votes do not count either. Without votes the category's polarity is taken,
    without categories the rating of valence: within ``margin`` of the scale's middle it is neutral.

    Args:
        neutral: whether neutral is a class; stimuli that are neutral have no class otherwise.
        margin: in units of the rating scale, 0 or more; ratings at it are neutral.

    Returns:
        Labels with ``categories`` (negative, positive) or (negative, neutral, positive), ``category`` (-1 where there
        is none, or a tie), ``votes`` where there were some (zero rows where none counts), and the ratings as they were.

    Raises:
        DataError: neither votes nor categories nor a rating of valence.
        UsageError: categories that are no emotions, a negative margin, or one beyond the scale.
    """
    classes = THREE if neutral else TWO
    if labels.votes is not None:
        return _of_votes(labels, classes)
    if labels.category is not None and labels.categories:
        return _with(labels, classes, _of_categories(labels.categories, labels.category, classes))
    if "valence" in labels.ratings and labels.scale is not None:
        return _with(labels, classes, _of_ratings(labels, classes, margin))
    raise DataError("valence as classes: the set has neither votes nor emotion categories nor a rating of valence")


def _of_votes(labels: Labels, classes: tuple[str, ...]) -> Labels:
    assert labels.votes is not None
    counts = np.array([[polarity(name) == sign for sign in classes] for name in labels.categories], dtype=np.float32)
    kept: Floats32 = labels.votes @ counts
    return _with(labels, classes, np.where(kept.sum(axis=1) > 0, majority(kept), -1), kept)


def _of_categories(categories: Sequence[str], category: Ints, classes: tuple[str, ...]) -> Ints:
    signs = [polarity(name) for name in categories]
    place = [classes.index(sign) if sign in classes else -1 for sign in signs]
    return np.array([*place, -1], dtype=np.int64)[category]


def _of_ratings(labels: Labels, classes: tuple[str, ...], margin: float) -> Ints:
    assert labels.scale is not None
    half = (labels.scale.high - labels.scale.low) / 2
    if not 0 <= margin < half:
        raise UsageError(
            f"margin (valence_margin) = {margin:g}: from 0 to below {half:g}, half of the rating scale, is wanted"
        )
    away = labels.ratings["valence"].astype(np.float64) - labels.scale.middle
    rest = classes.index("neutral") if "neutral" in classes else -1
    found = np.where(away > margin, classes.index("positive"), np.where(away < -margin, 0, rest))
    return np.where(np.isnan(away), -1, found).astype(np.int64)


def _with(labels: Labels, classes: tuple[str, ...], category: Ints, votes: Floats32 | None = None) -> Labels:
    return Labels(
        categories=classes,
        category=category.astype(np.int64),
        votes=votes,
        ratings=labels.ratings,
        rating_sd=labels.rating_sd,
        rating_n=labels.rating_n,
        scale=labels.scale,
        extra=labels.extra,
    )
