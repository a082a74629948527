"""Structure: whether a model's features tell stimuli apart as people's answers do - RSA and CKA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.agreement import Estimate
from affekt.humans.comparison.measures import Line, Measure, measure
from affekt.humans.comparison.parts import Part
from affekt.humans.comparison.structures import Structure, structures_of
from affekt.humans.people import Ratings, Trials, Votes
from affekt.humans.representations import (
    cka_halves,
    feature_rdm,
    linear_cka,
    rsa,
)
from affekt.randomness import generator
from affekt.report.numbers import counted, listed, number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 400
"""Stimuli whose pairs are looked at: 80,000 pairs. A draw sorts them for each model."""

FEATURES = "features"
"""Id of the part."""

DRAWS = 200
"""Resamples at most: each takes a pass over all pairs of stimuli."""


def structure_part(
    people: Ratings | Votes | Trials,
    rows: Ints,
    features: Mapping[str, Floats],
    *,
    votes: Ints | None,
    resamples: int,
    seed: int,
) -> Part | None:
    """RSA and CKA of every model's features with every structure that people's answers have.

    Args:
        rows: ``(M,)`` of people's stimuli that the features belong to.
        features: model -> ``(M, D)``.
        votes: ``(M, K)`` people's choices; None where they rated.

    Returns:
        None with fewer than four stimuli, or without a structure.
    """
    chosen = drawn(len(rows), seed)
    structures = structures_of(people, rows[chosen], votes[chosen] if votes is not None else None)
    if len(chosen) < 4 or not structures:
        return None
    held = {name: table[chosen] for name, table in features.items()}
    measures = [m for structure in structures for m in measures_of(structure, held, min(resamples, DRAWS), seed)]
    return Part(
        id=FEATURES,
        title="Features",
        lead="Whether a model's features (its last layer before the heads) tell stimuli apart as people's answers do, "
        "whatever it answers itself. RSA: rank correlation of dissimilarities (1 − r of features), over all pairs of "
        "stimuli; CKA: linear, unbiased.",
        stimuli=len(chosen),
        units=len(np.unique(structures[0].groups)),
        models=tuple(features),
        measures=measures,
        notes=[*fewer(chosen, rows), *notes_on(structures, min(resamples, DRAWS))],
    )


def drawn(stimuli: int, seed: int, most: int | None = None) -> Ints:
    """At most :data:`MOST` of so many stimuli, or another number, in their order."""
    most = MOST if most is None else most
    if stimuli <= most:
        return np.arange(stimuli)
    return np.sort(generator("structure", seed).permutation(stimuli)[:most]).astype(np.int64)


def fewer(chosen: Ints, rows: Ints) -> list[str]:
    """The note that stimuli were left out; empty where none were."""
    return [f"{len(chosen)} of {len(rows):,} stimuli, drawn by the seed."] if len(chosen) < len(rows) else []


def notes_on(structures: Sequence[Structure], draws: int) -> Iterator[str]:
    """How intervals were had, who is left out, and where there is no noise ceiling and why."""
    single = [structure for structure in structures if structure.single is not None]
    if structures[0].one_group:
        yield "All stimuli are of one group, which says nothing of others: no intervals."
    else:
        grouped = len(np.unique(structures[0].groups)) < len(structures[0].groups)
        what = "groups of stimuli" if grouped else "stimuli"
        people = f" (with {listed([s.title for s in single])}, of people too)" if single else ""
        yield f"RSA: {draws} draws of {what}{people}; CKA: {draws} halves of the {what}, drawn without replacement."
    for structure in structures:
        if structure.single is None:
            yield f"RSA, {structure.title}: no noise ceiling: {structure.why}."
        elif structure.single.left:
            yield f"RSA, {structure.title}: {structure.single.left} left out."


def measures_of(
    structure: Structure, features: Mapping[str, Floats], draws: int, seed: int, *, paired: bool = True
) -> list[Measure]:
    """RSA and CKA with one structure; ``paired``: with the differences of every two models."""
    scores = _rsa(features, structure, draws, seed)
    aligned = {name: _cka(table, structure, draws, seed) for name, table in features.items()}
    return [
        measure(f"rsa-{structure.name}", f"RSA, {structure.title}", _about(structure), scores,
                people=_ceiling(structure), paired=paired),
        measure(f"cka-{structure.name}", f"CKA, {structure.title}",
                f"unbiased linear CKA with {structure.title}, about 0 for unrelated ones, to 1", aligned, paired=False),
    ]  # fmt: skip


def _about(structure: Structure) -> str:
    if structure.single is None:
        correlation = f"rank correlation with dissimilarities of {structure.title}, −1 to 1"
        return f"{correlation}; no noise ceiling: {structure.why}"
    people = counted(len(structure.single), "person", "people")
    return f"rank correlation with dissimilarities of each one's {structure.title}, mean over {people}, −1 to 1"


def _ceiling(structure: Structure) -> Line:
    if structure.single is None:
        return Line(value=None, said="noise ceiling", reason=structure.why)
    found = structure.single.ceiling
    said = (
        f"noise ceiling, {number(found.lower)} to {number(found.upper)}: mean rank correlation of each one of "
        f"{counted(len(structure.single), 'person', 'people')} with the mean of the others, and with that of all"
    )
    return Line(value=found.upper, low=found.lower, high=found.upper, said=said, bounds=True)


def _rsa(features: Mapping[str, Floats], structure: Structure, draws: int, seed: int) -> dict[str, Estimate]:
    """A model whose features are all equally far apart has none."""
    single = structure.single
    rows = np.arange(len(structure.groups)) if single is None else single.rows
    rdms, why = _rdms({name: table[rows] for name, table in features.items()})
    scores: dict[str, Estimate] = {}
    if rdms:
        human, groups = structure.rdm if single is None else single.rdms, structure.groups[rows]
        alone = len(np.unique(groups)) < 2
        found = rsa(
            np.stack(list(rdms.values())),
            human,
            draws=1 if alone else draws,
            groups=None if alone else groups,
            seed=seed,
        )
        none = np.full(draws, np.nan)
        scores = {
            name: Estimate(
                value=float(found.score[m]), reason="", draws=none if alone else found.draws[:, m], units=found.units
            )
            for m, name in enumerate(rdms)
        }
    return {name: scores.get(name) or _undefined(why[name], draws, len(rows)) for name in features}


def _rdms(features: Mapping[str, Floats]) -> tuple[dict[str, Floats], dict[str, str]]:
    """The dissimilarities of each model, or why it has none."""
    rdms: dict[str, Floats] = {}
    why: dict[str, str] = {}
    for name, table in features.items():
        try:
            rdm = feature_rdm(table)
        except DataError as error:
            why[name] = str(error)
            continue
        if np.ptp(rdm) > 0:
            rdms[name] = rdm
        else:
            why[name] = "features that are all equally far apart"
    return rdms, why


def _cka(features: Floats, structure: Structure, draws: int, seed: int) -> Estimate:
    """With an interval over halves of the stimuli, or of their groups."""
    try:
        value = linear_cka(features, structure.features)
    except DataError as error:
        return _undefined(str(error), draws, len(features))
    groups = structure.groups
    found = np.full(draws, np.nan)
    if not structure.one_group:
        found = cka_halves(features, structure.features, groups=groups, draws=draws, seed=seed)
    return Estimate(value=value, reason="", draws=found, units=len(np.unique(groups)))


def _undefined(why: str, draws: int, stimuli: int) -> Estimate:
    return Estimate(value=None, reason=why, draws=np.full(draws, np.nan), units=stimuli)
