"""Valence where one side has no rating of it: of people's choices, and of a model's categories, by their polarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.errors import DataError
from affekt.humans.comparison.categories import sign_of
from affekt.humans.people import Answers, Ratings, Trials, Votes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIGNED = RatingScale(-1, 1)
"""A choice of a negative emotion counts -1, for a neutral one 0, for a positive one 1."""

SIGNS = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A model's number for each stimulus.

    Attributes:
        values: ``(M,)``.
        no_units: why they are not in people's units, so that distances mean nothing; empty where they are.
        assumed: which scale they were taken to be on and why, in a sentence; empty where it is known.
    """

    values: Floats
    no_units: str = ""
    assumed: str = ""


def of_choices(people: Votes | Trials, rows: Ints, categories: Sequence[str], choices: Ints) -> Ratings | None:
    """Each choice as a rating of -1, 0 or 1; emotions without a polarity (surprise) are not counted.

    Args:
        rows: ``(M,)`` of people's stimuli.
        choices: ``(M, K)`` how many people chose each of the categories.

    Returns:
        NaN for a stimulus without a counted vote. None where the categories have not both signs.
    """
    signs = _signs(categories)
    if signs is None:
        return None
    counted = ~np.isnan(signs)
    counts, values = choices[:, counted].astype(np.float64), signs[counted]
    n = counts.sum(axis=1)
    mean = (counts @ values) / np.where(n > 0, n, np.nan)
    squares = (counts * (values - mean[:, None]) ** 2).sum(axis=1)
    return Ratings(
        name=people.name,
        ids=people.ids[rows],
        groups=people.groups[rows],
        licence=people.licence,
        scale=SIGNED,
        means={"valence": mean},
        sds={"valence": np.sqrt(squares / np.where(n > 1, n - 1, np.nan))},
        counts={"valence": n},
    )


def of_probabilities(answers: Answers) -> Floats | None:
    """``(N,)`` probability of positive categories less that of negative ones, of those that have a polarity."""
    signs = _signs(answers.categories)
    if signs is None or answers.probabilities is None:
        return None
    counted = ~np.isnan(signs)
    kept = answers.probabilities[:, counted]
    total = kept.sum(axis=1)
    return np.asarray(np.where(total > 0, kept @ signs[counted] / np.where(total > 0, total, 1.0), 0.0))


def numbers(answers: Answers, dimension: str, people: Ratings) -> Numbers | None:
    """A model's numbers for a dimension that people rated, in people's units where that can be; None where it has none.

    A rating of a known scale is converted, ends onto ends. One of an unknown scale is taken to be people's if all of
    the model's lie within that. Without a rating of valence, a model's categories stand for it by their polarity.

    Raises:
        DataError: ratings of an unknown scale that lie outside people's.
    """
    if dimension in answers.ratings:
        return _rated(answers, dimension, people)
    signed = of_probabilities(answers) if dimension == "valence" else None
    if signed is None:
        return None
    if people.scale == SIGNED:
        return Numbers(values=signed)
    return Numbers(
        values=signed, no_units=f"{answers.name} gives classes; the probability of positive ones less that of "
        "negative ones stands for valence, in no unit of people's scale",
    )  # fmt: skip


def _rated(answers: Answers, dimension: str, people: Ratings) -> Numbers:
    values, scale = answers.ratings[dimension].astype(np.float64), people.scale
    if scale == SIGNED and answers.scale != SIGNED:
        return Numbers(values=values, no_units=f"{answers.name} rates; choices have no unit of its scale")
    if answers.scale is not None:
        return Numbers(values=answers.scale.convert(values, scale))
    return Numbers(values=values, assumed=_assumed(answers.name, dimension, values, scale))


def _assumed(name: str, dimension: str, values: Floats, scale: RatingScale) -> str:
    """What is said of ratings whose scale is not stated.

    Raises:
        DataError: they cannot be on people's.
    """
    given, span = values[np.isfinite(values)], f"{scale.low:g} to {scale.high:g}"
    if not len(given):
        return ""
    found = f"{given.min():g} to {given.max():g}"
    outside = int(((given < scale.low - 1e-9) | (given > scale.high + 1e-9)).sum())
    if outside:
        raise DataError(
            f"{name}: {dimension}: {outside} of {len(given)} ratings lie outside people's scale {span} "
            f"(they are {found}), and its own is not stated: --answers scale=LOW..HIGH. If it is "
            "people's, cut off what is outside"
        )
    return (
        f"{name} does not state the scale of its {dimension}: taken to be people's, {span}, since all of its ratings "
        f"({found}) lie within. If it is another: --answers scale=LOW..HIGH."
    )


def _signs(categories: Sequence[str]) -> Floats | None:
    """``(K,)`` -1, 0, 1, NaN for categories without polarity; None without both signs."""
    signs = np.array([SIGNS.get(sign_of(name) or "", np.nan) for name in categories])
    return signs if (signs < 0).any() and (signs > 0).any() else None
