"""Affect in words and numbers: emotion categories, their polarity, rating scales, and what is said of one stimulus.

Nothing here imports torch, so that the command can name categories and check labels at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import DataError, UsageError, unknown

Floats = NDArray[np.float64]

MIKELS = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
"""Mikels et al. (2005): four positive, then four negative emotions, in the order of EmoSet."""

EKMAN = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""Ekman's six basic emotions, in alphabetical order."""

FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The eight emotions of FER+ (Barsoum et al. 2016), in the order of its table."""

DIMENSIONS = ("valence", "arousal", "dominance")
"""The rating dimensions, in the order in which an affect state lists them."""

POLARITIES = ("negative", "neutral", "positive")

_POSITIVE = ("amusement", "awe", "contentment", "excitement", "happiness", "love", "trust", "calm", "pride", "positive")
_NEGATIVE = ("anger", "disgust", "fear", "sadness", "contempt", "boredom", "shame", "frustration", "guilt", "negative")
_NEUTRAL = ("neutral",)
_AMBIGUOUS = ("surprise", "anticipation")

CATEGORIES = (*_POSITIVE, *_NEGATIVE, *_NEUTRAL, *_AMBIGUOUS)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "content": "contentment", "sad": "sadness", "happy": "happiness", "joy": "happiness", "angry": "anger",
        "disgusted": "disgust", "fearful": "fear", "afraid": "fear", "scared": "fear", "surprised": "surprise",
        "amused": "amusement", "excited": "excitement", "bored": "boredom", "frustrated": "frustration",
        "calmness": "calm", "neutrality": "neutral", "pos": "positive", "neg": "negative", "neu": "neutral",
        "ang": "anger", "dis": "disgust", "fea": "fear", "hap": "happiness", "sur": "surprise", "exc": "excitement",
        "fru": "frustration",
    }
)  # fmt: skip
"""Other spellings -> canonical name. Sets are mapped by *name*: each orders its columns differently."""


def canonical_category(name: str) -> str:
    """The canonical name of an emotion category: ``"Sad"`` -> ``"sadness"``.

    Raises:
        UsageError: no such category; the nearest ones are named.
    """
    key = name.strip().strip("'\"").strip().lower()
    key = ALIASES.get(key, key)
    if key not in CATEGORIES:
        raise UsageError(unknown("emotion category", name, (*CATEGORIES, *ALIASES), everything=", ".join(CATEGORIES)))
    return key


def polarity(category: str) -> str | None:
    """``"positive"``, ``"neutral"`` or ``"negative"``; None where people differ (surprise, anticipation)."""
    key = canonical_category(category)
    if key in _AMBIGUOUS:
        return None
    return "positive" if key in _POSITIVE else "negative" if key in _NEGATIVE else "neutral"


def votes_to_distribution(votes: ArrayLike) -> Floats:
    """``(..., K)`` non-negative votes -> shares that sum to one.

    Raises:
        DataError: a negative or non-finite vote, or votes that sum to zero (with the first rows that do).
    """
    counts = np.asarray(votes, dtype=np.float64)
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise DataError("votes: negative or missing numbers found; votes are counts of people, 0 or more")
    total = counts.sum(axis=-1, keepdims=True)
    if (total == 0).any():
        rows = np.flatnonzero(np.atleast_1d(total[..., 0] == 0).ravel())
        raise DataError(f"votes: {rows.size} row(s) sum to zero (first: row {rows[0]}); drop them or give a vote")
    shares: Floats = counts / total
    return shares


def majority(votes: ArrayLike) -> NDArray[np.int64]:
    """``(N, K)`` votes -> ``(N,)`` index of the category with most votes; -1 where the first place is a tie."""
    counts = np.asarray(votes, dtype=np.float64)
    best = counts.max(axis=-1, keepdims=True)
    winner: NDArray[np.int64] = counts.argmax(axis=-1).astype(np.int64)
    return np.where((counts == best).sum(axis=-1) == 1, winner, -1).astype(np.int64)


def distribution_to_polarity(distribution: ArrayLike, categories: Sequence[str], *, ambiguous: str = "drop") -> Floats:
    """``(..., K)`` shares over ``categories`` -> ``(..., 3)`` shares of negative, neutral, positive.

    Args:
        ambiguous: what becomes of surprise and its like: ``"drop"`` (their share is left out and the rest rescaled;
            NaN where nothing is left), ``"neutral"``, or ``"own"`` (a fourth column: ``(..., 4)``).

    Raises:
        UsageError: unknown category, or another word for ``ambiguous``.
        DataError: another number of columns than categories.
    """
    if ambiguous not in ("drop", "neutral", "own"):
        raise UsageError(unknown("ambiguous", ambiguous, ("drop", "neutral", "own")))
    shares = np.asarray(distribution, dtype=np.float64)
    if shares.shape[-1] != len(categories):
        raise DataError(f"distribution has {shares.shape[-1]} columns for {len(categories)} categories")
    columns = (*POLARITIES, "own") if ambiguous == "own" else POLARITIES
    out = np.zeros((*shares.shape[:-1], len(columns)))
    for column, name in enumerate(categories):
        sign = polarity(name) or ambiguous
        if sign != "drop":
            out[..., columns.index(sign)] += shares[..., column]
    total = out.sum(axis=-1, keepdims=True)
    rescaled: Floats = np.divide(out, total, out=np.full_like(out, np.nan), where=total > 0)
    return rescaled


@dataclass(frozen=True)
class RatingScale:
    """A rating scale from ``low`` to ``high``, both included, e.g. the nine-point self-assessment manikin."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise UsageError(f"rating scale [{self.low:g}, {self.high:g}]: the low end must be below the high end")

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def check(self, values: ArrayLike, what: str) -> Floats:
        """The values as floats, NaN allowed (not rated).

        Raises:
            DataError: a value outside the scale; how many and the first.
        """
        ratings = np.asarray(values, dtype=np.float64)
        outside = (ratings < self.low - 1e-9) | (ratings > self.high + 1e-9)
        if outside.any():
            example = ratings[outside].flat[0]
            raise DataError(
                f"{what}: {int(outside.sum())} rating(s) outside the scale {self.low:g} to {self.high:g} "
                f"(first: {example:g}); state the scale they were given on"
            )
        return ratings

    def convert(self, values: ArrayLike, other: RatingScale) -> Floats:
        """The same ratings on another scale, ends onto ends (linear)."""
        ratings = np.asarray(values, dtype=np.float64)
        return other.low + (ratings - self.low) * (other.high - other.low) / (self.high - self.low)

    def polarity(self, values: ArrayLike, *, margin: float = 0.0) -> NDArray[np.int64]:
        """Valence -> index into :data:`POLARITIES`: positive above the middle by more than ``margin``, negative below
        it by more, neutral between; -1 where the value is NaN. ``margin`` is in units of this scale."""
        ratings = np.asarray(values, dtype=np.float64)
        out = np.where(ratings > self.middle + margin, 2, np.where(ratings < self.middle - margin, 0, 1))
        return np.where(np.isnan(ratings), -1, out).astype(np.int64)


SCALES: Mapping[str, RatingScale] = MappingProxyType(
    {
        "1-5": RatingScale(1, 5), "1-7": RatingScale(1, 7), "1-9": RatingScale(1, 9),
        "0-1": RatingScale(0, 1), "-1-1": RatingScale(-1, 1), "0-10": RatingScale(0, 10), "0-100": RatingScale(0, 100),
    }
)  # fmt: skip
"""Scales by name; a reader's option also takes two numbers."""


_TWO_NUMBERS = re.compile(r"(.+?)(?:\.\.|(?<=[0-9.])-)(.+)")


def parse_scale(text: str) -> RatingScale:
    """``"1-9"`` or ``"-4..4"`` -> the scale.

    Raises:
        UsageError: not two finite numbers, the lower first.
    """
    found = _TWO_NUMBERS.fullmatch(text.replace(" ", ""))
    try:
        low, high = (float(end) for end in found.groups()) if found else (float("nan"), float("nan"))
    except ValueError:
        low = high = float("nan")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f'scale "{text}": write two numbers as "1..9", or one of {", ".join(SCALES)}')
    return RatingScale(low, high)


@dataclass(frozen=True, kw_only=True)
class AffectLabel:
    """What people said of one stimulus.

    Attributes:
        votes: category -> number or share of people; may be empty.
        ratings: dimension -> mean rating in units of ``scale``; may be empty.
        scale: the scale of the ratings; required when there are any.
    """

    votes: Mapping[str, float] = field(default_factory=dict)
    ratings: Mapping[str, float] = field(default_factory=dict)
    scale: RatingScale | None = None

    def __post_init__(self) -> None:
        if not self.votes and not self.ratings:
            raise DataError("affect label: neither votes nor ratings given; give at least one")
        if self.ratings and self.scale is None:
            raise DataError("affect label: ratings without a scale; state the scale they were given on")
        if self.ratings and self.scale is not None:
            self.scale.check(list(self.ratings.values()), "affect label")
        if self.votes:
            votes_to_distribution(list(self.votes.values()))
        names = [canonical_category(name) for name in self.votes]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise DataError(f"affect label: two names of one emotion: {twice}; add up their votes")
        object.__setattr__(self, "votes", dict(zip(names, map(float, self.votes.values()), strict=True)))

    @property
    def distribution(self) -> dict[str, float]:
        """Category -> share of the votes; empty where there are none."""
        if not self.votes:
            return {}
        return dict(zip(self.votes, votes_to_distribution(list(self.votes.values())).tolist(), strict=True))

    @property
    def category(self) -> str | None:
        """The category with most votes; None without votes or with a tie."""
        if not self.votes:
            return None
        index = int(majority([list(self.votes.values())])[0])
        return None if index < 0 else list(self.votes)[index]

    def on_scale(self, other: RatingScale) -> AffectLabel:
        """The same label with its ratings on another scale."""
        if self.scale is None:
            return self
        ratings = {k: float(self.scale.convert(v, other)) for k, v in self.ratings.items()}
        return AffectLabel(votes=self.votes, ratings=ratings, scale=other)


@dataclass(frozen=True, kw_only=True)
class AffectState:
    """What a network says a picture elicits, in people's terms: the same words as an :class:`AffectLabel`.

    Attributes:
        probabilities: category -> probability, summing to one; may be empty.
        ratings: dimension -> rating in units of ``scale``.
        standardised: dimension -> the same in standard deviations of the training set's labels around their mean.
        scale: the scale of ``ratings``.
    """

    probabilities: Mapping[str, float] = field(default_factory=dict)
    ratings: Mapping[str, float] = field(default_factory=dict)
    standardised: Mapping[str, float] = field(default_factory=dict)
    scale: RatingScale | None = None

    @property
    def category(self) -> str | None:
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.probabilities else None

    def describe(self) -> str:
        """One line for people: ``pleasant (valence 5.8 of 1..7, +1.2 SD), calm ...; most likely awe (41 %)``."""
        parts = [self._describe_dimension(name) for name in self.ratings]
        if self.category is not None:
            parts.append(f"most likely {self.category} ({100 * self.probabilities[self.category]:.0f} %)")
        return "; ".join(parts)

    def _describe_dimension(self, name: str) -> str:
        words = {
            "valence": ("unpleasant", "neutral in tone", "pleasant"),
            "arousal": ("calm", "moderately arousing", "arousing"),
            "dominance": ("overwhelming", "neither controlling nor overwhelming", "in control"),
        }.get(name, (f"low {name}", f"medium {name}", f"high {name}"))
        z = self.standardised.get(name, 0.0)
        word = words[0] if z < -0.5 else words[2] if z > 0.5 else words[1]
        span = f" of {self.scale.low:g}..{self.scale.high:g}" if self.scale else ""
        return f"{word} ({name} {self.ratings[name]:.2f}{span}, {z:+.1f} SD)"

    def to_dict(self) -> dict[str, object]:
        """Plain dicts and floats, for JSON."""
        scale = [self.scale.low, self.scale.high] if self.scale else None
        return {
            "probabilities": dict(self.probabilities),
            "ratings": dict(self.ratings),
            "standardised": dict(self.standardised),
            "scale": scale,
        }
