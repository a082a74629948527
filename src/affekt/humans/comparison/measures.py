"""Measures of a comparison: one number of each model, people's line above them, and paired differences of models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from affekt.humans.agreement import Estimate, PairDifference, compare_models

Best = Literal["high", "low", "zero", "none"]
"""Which values of a measure are nearest to people; `none`: the number alone does not say."""

LEVEL = 0.95

ALPHA = 0.05
"""Of the adjusted p below which two models are told apart."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """People's line: what they themselves, or the best model that there can be, have.

    Attributes:
        value, low, high: None where they cannot be had.
        said: what it is, in words.
        reason: why there is no value; empty where there is one.
        ceiling: whether no model is expected beyond it; else it is a reference.
        bounds: whether low and high are no interval but what a ceiling is at least and at most (the value).
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    said: str
    reason: str = ""
    ceiling: bool = True
    bounds: bool = False


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a measure is, whoever was measured.

    Attributes:
        name: for files, ``[a-z-]``.
        title: for people.
        about: what it is, with its range and unit, in one sentence.
        best: which value is best.
        people: their line; None where there is none.
        chance: what answers that have nothing to do with people's have; None where that is not one number.
    """

    name: str
    title: str
    about: str
    best: Best
    people: Line | None = None
    chance: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measure(Described):
    """One measure of every model.

    Attributes:
        models: name -> estimate, in the order of the models.
        pairs: paired differences, p adjusted over them (Holm); none where another measure's say the same.
        basic: whether the basic interval is the one to report (:meth:`Estimate.basic_interval`).
    """

    models: Mapping[str, Estimate]
    pairs: Sequence[PairDifference] = ()
    basic: bool = False

    def interval(self, model: str) -> tuple[float, float] | None:
        """The 95 % interval of a model's number."""
        estimate = self.models[model]
        return estimate.basic_interval(LEVEL) if self.basic else estimate.interval(LEVEL)


def measure(
    name: str,
    title: str,
    about: str,
    models: Mapping[str, Estimate],
    *,
    best: Best = "high",
    people: Line | None = None,
    chance: float | None = None,
    paired: bool = True,
    basic: bool = False,
) -> Measure:
    """A measure with its paired differences, of every pair of models that have a number."""
    there = {model: estimate for model, estimate in models.items() if estimate.value is not None}
    return Measure(
        name=name,
        title=title,
        about=about,
        best=best,
        people=people,
        chance=chance,
        models=dict(models),
        pairs=compare_models(there, level=LEVEL) if paired and len(there) > 1 else (),
        basic=basic,
    )


def line(found: Estimate, said: str, *, ceiling: bool = True) -> Line:
    """An estimate as people's line."""
    low, high = found.interval(LEVEL) or (None, None)
    return Line(value=found.value, low=low, high=high, said=said, reason=found.reason, ceiling=ceiling)


def changed(found: Estimate, change: Callable[[Any], Any] | None = None, *, reason: str = "") -> Estimate:
    """An estimate through a function of one number, or made undefined where a ``reason`` is given."""
    if reason:
        return replace(found, value=None, reason=reason, draws=np.full_like(found.draws, np.nan))
    if change is None:
        return found
    value = None if found.value is None else float(change(found.value))
    return replace(found, value=value, draws=np.asarray(change(found.draws)))


def mean_of(found: Iterable[Estimate]) -> Estimate:
    """The mean of estimates over one bootstrap; those that are undefined are left out, in a draw as in all."""
    every = list(found)
    there = [e for e in every if e.value is not None]
    if not there:
        return every[0]
    draws = np.stack([e.draws for e in there])
    count = (~np.isnan(draws)).sum(axis=0)
    mean = np.where(count > 0, np.nansum(draws, axis=0) / np.maximum(count, 1), np.nan)
    value = float(np.mean([e.value for e in there if e.value is not None]))
    return Estimate(value=value, reason="", draws=mean, units=there[0].units)
