"""Parts of a comparison: what is compared on one set of stimuli in the same terms, and what its figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from affekt.affect import RatingScale
from affekt.humans.agreement import Calibration, Confusion
from affekt.humans.comparison.measures import Measure
from affekt.humans.psychophysics import Psychometric
from affekt.report.numbers import listed

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Each stimulus as a point: people's number and each model's.

    Attributes:
        what: the number, e.g. ``"valence"``.
        people: ``(M,)``.
        models: name -> ``(M,)``.
        scale: of people's numbers, and of the models' in units of people's.
        units: the models whose numbers are in people's units.
    """

    what: str
    people: Floats
    models: Mapping[str, Floats]
    scale: RatingScale | None
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Confusions:
    """Confusion matrices over the same stimuli."""

    categories: tuple[str, ...]
    people: Confusion
    models: Mapping[str, Confusion]


@dataclass(frozen=True, kw_only=True)
class ByCondition:
    """One measure in one condition.

    Attributes:
        condition: as people's table calls it.
        stimuli: of it.
        accuracy, kappa: of everybody, people under :data:`PEOPLE`: value, low, high, and why there is no value.
    """

    condition: str
    stimuli: int
    accuracy: Mapping[str, tuple[float | None, float | None, float | None, str]]
    kappa: Mapping[str, tuple[float | None, float | None, float | None, str]]


PEOPLE = "people"
"""How people are called beside the models."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Right (or, of a morph, first) answers of one observer over the strengths of a manipulation.

    Attributes:
        manipulation: its name; empty where conditions are numbers alone.
        observer: a model, or :data:`PEOPLE`, pooled.
        levels, shares, trials: ``(L,)``.
        fitted: the psychometric curve, or why there is none.
    """

    manipulation: str
    observer: str
    levels: Floats
    shares: Floats
    trials: Floats
    fitted: Psychometric


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is compared in the same terms.

    Attributes:
        id: for files and anchors, ``[a-z0-9-]``, unique in a comparison.
        title: e.g. ``"valence"``, ``"8 categories"``.
        lead: what is held against what, in one or two sentences.
        stimuli, units: M, and how many units (stimuli, or groups of them) were resampled.
        models: who is in it, in order.
        measures: the first is the one that stands for the part.
        categories: of category parts.
        simulated: one sentence where observers were simulated; else empty.
        layers: where a row is a layer: row -> model and layer. No row is singled out: the best of many would be.
        scatter, confusions, calibrations, conditions, curves: what figures show, where there is any.
        notes: what a reader must know.
    """

    id: str
    title: str
    lead: str
    stimuli: int
    units: int
    models: tuple[str, ...]
    measures: Sequence[Measure]
    categories: tuple[str, ...] = ()
    simulated: str = ""
    layers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    scatter: Scatter | None = None
    confusions: Confusions | None = None
    calibrations: Mapping[str, Calibration] | None = None
    conditions: Sequence[ByCondition] = ()
    curves: Sequence[Curve] = ()
    notes: Sequence[str] = ()


def with_reasons(part: Part) -> Part:
    """The part, its notes saying what is undefined and why, unless they say so already."""
    found: dict[tuple[str, str], list[str]] = {}
    for measure in part.measures:
        for model, estimate in measure.models.items():
            if estimate.value is None:
                found.setdefault((model, estimate.reason), []).append(measure.title)
    notes = [
        f"{listed(titles)} of {model} {'is' if len(titles) == 1 else 'are'} undefined: {reason}."
        for (model, reason), titles in found.items()
        if not any(reason in note for note in part.notes)
    ]
    return replace(part, notes=[*part.notes, *notes])


MOST = 8
"""Stimuli that are named for each model and part."""


def largest(gaps: Floats) -> list[int]:
    """The places of the largest distances, largest first; those that rounding leaves are none."""
    return [int(i) for i in np.argsort(-gaps, kind="stable")[:MOST] if gaps[i] > 1e-9]


@dataclass(frozen=True, kw_only=True)
class Differing:
    """The stimuli on which people and one model differ most, most first.

    Attributes:
        model: who.
        part: id of the part.
        what: the distance, in words.
        stimuli: (id, distance, what people say, what the model says).
    """

    model: str
    part: str
    what: str
    stimuli: Sequence[tuple[str, float, str, str]]
