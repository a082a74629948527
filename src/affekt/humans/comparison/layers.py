"""Layers: RSA and CKA of every layer with people's answers, and how many of its units are selective for valence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.humans.agreement import Estimate
from affekt.humans.comparison.measures import Measure, measure
from affekt.humans.comparison.model import Model, People
from affekt.humans.comparison.parts import Part
from affekt.humans.comparison.structure import DRAWS, drawn, fewer, measures_of, notes_on
from affekt.humans.comparison.structures import structures_of
from affekt.humans.comparison.valence import of_choices
from affekt.humans.people import Ratings
from affekt.humans.representations import SelectiveUnits, selective_units

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAYERS, SELECTIVE = "layers", "selective-units"
"""Ids of the parts."""

SIGNS = np.array(["negative", "", "positive"])
"""What a picture is whose valence is below, at and above the middle."""


@dataclass(frozen=True, kw_only=True)
class Layered:
    """The layers of every model, of the same M stimuli.

    Attributes:
        features: row of the tables -> ``(M, D)``.
        named: row -> model and layer.
    """

    features: Mapping[str, Floats]
    named: Mapping[str, tuple[str, str]]

    def take(self, rows: Ints) -> dict[str, Floats]:
        return {name: table[rows] for name, table in self.features.items()}


def layered(models: Mapping[str, Model], rows: Mapping[str, Ints]) -> Layered | None:
    """The layers that models have; None where none has any.

    Args:
        rows: model -> ``(M,)`` of its stimuli.
    """
    features: dict[str, Floats] = {}
    named: dict[str, tuple[str, str]] = {}
    for name, model in models.items():
        for layer, found in model.layers.items():
            features[f"{name}: {layer}"] = found.features[rows[name]].astype(np.float64)
            named[f"{name}: {layer}"] = name, layer
    return Layered(features=features, named=named) if features else None


def layers_part(
    people: People, rows: Ints, found: Layered, *, votes: Ints | None, resamples: int, seed: int
) -> Part | None:
    """RSA and CKA of every layer, as :func:`~affekt.humans.comparison.structure.structure_part` has them of features.

    Returns:
        None with fewer than four stimuli, or without a structure.
    """
    chosen = drawn(len(rows), seed)
    structures = structures_of(people, rows[chosen], votes[chosen] if votes is not None else None)
    if len(chosen) < 4 or not structures:
        return None
    held, draws = found.take(chosen), min(resamples, DRAWS)
    return Part(
        id=LAYERS,
        title="Layers",
        lead="Where along a model features tell stimuli apart as people's answers do: RSA and CKA of every layer that "
        "was asked for, averaged over places, or that a file holds, as it stands there.",
        stimuli=len(chosen),
        units=len(np.unique(structures[0].groups)),
        models=tuple(held),
        measures=[m for s in structures for m in measures_of(s, held, draws, seed, paired=False)],
        layers=found.named,
        notes=[
            *fewer(chosen, rows),
            "Layers are not tested against each other, and the best of many is chosen by what it is then told of: "
            "name the layer beforehand, or choose it on other pictures.",
            *notes_on(structures, draws),
        ],
    )


def selective_part(rows: Ints, found: Layered, signs: NDArray[np.str_], *, resamples: int, seed: int) -> Part | None:
    """How many units of every layer answer to positive and negative stimuli differently, twice, against chance.

    Args:
        signs: ``(M,)`` of :data:`SIGNS`, see :func:`signs_of`.

    Returns:
        None where a class has fewer than four stimuli.
    """
    chosen = drawn(len(rows), seed)
    known = chosen[signs[chosen] != ""]
    counts = {sign: int((signs[known] == sign).sum()) for sign in SIGNS[[0, 2]].tolist()}
    if min(counts.values()) < 4:
        return None
    units = {
        name: selective_units(table, signs[known], draws=resamples, seed=seed)
        for name, table in found.take(known).items()
    }
    return Part(
        id=SELECTIVE,
        title="Valence-selective units",
        lead=f"Units that answer differently to {counts['positive']} positive and {counts['negative']} negative "
        "stimuli in one half of them (false discovery rate 5 %), and again, preferring the same, in the other; after "
        "Liu et al. 2024. A unit is a number of a layer, averaged over places: a channel.",
        stimuli=len(known),
        units=len(known),
        models=tuple(units),
        measures=_counts(units),
        layers=found.named,
        notes=[
            *fewer(chosen, rows),
            f"Chance: the classes permuted over single stimuli, {resamples} times. Where stimuli come in themes, a "
            "theme may pass for a valence.",
        ],
    )


def signs_of(people: People, rows: Ints, votes: Ints | None, categories: tuple[str, ...]) -> NDArray[np.str_] | None:
    """``(M,)`` the valence of each stimulus to people: ratings cut at the middle of the scale, votes by polarity.

    Args:
        rows: of people's stimuli.
        votes: ``(M, K)`` for each of the categories; None where people rated.

    Returns:
        ``""`` where it is at the middle or unknown. None where people say nothing of valence.
    """
    if isinstance(people, Ratings):
        ratings, own = people, rows
    else:
        found = None if votes is None else of_choices(people, rows, categories, votes)
        if found is None:
            return None
        ratings, own = found, np.arange(len(rows))
    if "valence" not in ratings.means:
        return None
    polarity = ratings.scale.polarity(ratings.means["valence"][own])
    return np.where(polarity < 0, "", SIGNS[polarity])


def _counts(units: Mapping[str, SelectiveUnits]) -> list[Measure]:
    """Numbers without an interval: they are of these units, and chance stands beside them."""

    def of(name: str, title: str, about: str, value: Callable[[SelectiveUnits], float]) -> Measure:
        found = {row: _plain(value(one), len(one.p)) for row, one in units.items()}
        return measure(name, title, about, found, best="none", paired=False)

    return [
        of("share", "share", "share of a layer's units that are selective in both halves, 0 to 1",
           lambda u: float(u.consistent.mean())),
        of("chance", "by chance", "the same share where classes are permuted, mean",
           lambda u: float(u.null_consistent.mean() / len(u.p))),
        of("chance-high", "by chance, at most", "the share that 95 % of the permutations do not exceed",
           lambda u: float(np.quantile(u.null_consistent, 0.95, method="higher") / len(u.p))),
        of("p", "p", "chance of as many units without any relation, not adjusted over layers",
           lambda u: u.p_consistent),
        of("selective", "selective", "number of units that are selective in both halves",
           lambda u: int(u.consistent.sum())),
        of("positive", "prefer positive", "number of these that answer most to positive stimuli",
           lambda u: u.counts()["positive"]),
        of("units", "units", "number of the layer's units, those that are silent among them",
           lambda u: len(u.p)),
    ]  # fmt: skip


def _plain(value: float, units: int) -> Estimate:
    return Estimate(value=value, reason="", draws=np.full(2, np.nan), units=units)
