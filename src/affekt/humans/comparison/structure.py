"""Structure: whether a model's features tell stimuli apart as people's answers do - RSA and CKA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.agreement import Estimate
from affekt.humans.comparison.measures import Measure, measure
from affekt.humans.comparison.parts import Part
from affekt.humans.people import Ratings, Trials, Votes
from affekt.humans.representations import (
    category_features,
    category_rdm,
    feature_rdm,
    linear_cka,
    rating_rdm,
    rsa,
    vote_rdm,
)
from affekt.randomness import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 400
"""Stimuli whose pairs are looked at: 80,000 pairs. A draw sorts them for each model."""

CONTENT = "theme_category"
"""The fact that says what a rated picture shows."""

FEATURES = "features"
"""Id of the part."""

DRAWS = 200
"""Resamples at most: each takes a pass over all pairs of stimuli."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What people's answers say of how stimuli differ.

    Attributes:
        name: for files, ``[a-z-]``.
        title: for people.
        features: ``(N, E)`` or ``(N,)`` for CKA.
        rdm: ``(N (N - 1) / 2,)``.
    """

    name: str
    title: str
    features: Floats
    rdm: Floats


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
        "stimuli; CKA: linear, unbiased, a point without an interval.",
        stimuli=len(chosen),
        units=len(chosen),
        models=tuple(features),
        measures=measures,
        notes=[
            *fewer(chosen, rows),
            f"RSA: {min(resamples, DRAWS)} draws of single stimuli, not of groups of them.",
        ],
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


def structures_of(people: Ratings | Votes | Trials, rows: Ints, votes: Ints | None) -> list[Structure]:
    """Those whose dissimilarities are not all equal."""
    found = [*_of_numbers(people, rows), *_of_votes(votes), *_of_categories(people, rows, votes)]
    return [structure for structure in found if np.ptp(structure.rdm) > 0]


def _of_numbers(people: Ratings | Votes | Trials, rows: Ints) -> Iterator[Structure]:
    if not isinstance(people, Ratings):
        return
    table = np.stack([values[rows] for values in people.means.values()], axis=1)
    if np.isfinite(table).all():
        title = f"ratings ({', '.join(people.means)})"
        yield Structure(name="ratings", title=title, features=table, rdm=rating_rdm(table))


def _of_votes(votes: Ints | None) -> Iterator[Structure]:
    if votes is not None and votes.any(axis=1).all():
        shares = votes / votes.sum(axis=1, keepdims=True)
        yield Structure(name="votes", title="votes", features=shares, rdm=vote_rdm(votes))


def _of_categories(people: Ratings | Votes | Trials, rows: Ints, votes: Ints | None) -> Iterator[Structure]:
    """Categories of what was chosen or is right; of rated pictures, of what they show: content, not affect."""
    labels: NDArray[np.generic] | None = None
    if isinstance(people, Ratings):
        labels, title = people.facts.get(CONTENT), "what pictures show"
        labels = None if labels is None else labels[rows]
    elif isinstance(people, Trials) and (people.truth[rows] != "").all():
        labels, title = people.truth[rows], "categories"
    elif votes is not None:
        labels, title = votes.argmax(axis=1), "categories"
    if labels is not None:
        yield Structure(name="categories", title=title, features=category_features(labels), rdm=category_rdm(labels))


def measures_of(
    structure: Structure, features: Mapping[str, Floats], draws: int, seed: int, *, paired: bool = True
) -> list[Measure]:
    """RSA and CKA with one structure; ``paired``: with the differences of every two models."""
    rdms: dict[str, Floats] = {}
    why: dict[str, str] = {}
    for name, table in features.items():
        try:
            rdms[name] = feature_rdm(table)
        except DataError as error:
            why[name] = str(error)
    scores = _rsa(rdms, structure.rdm, draws, seed)
    stimuli = len(structure.features)
    similar = {name: scores.get(name) or _undefined(why.get(name, ""), draws, stimuli) for name in features}
    aligned = {name: _cka(table, structure.features, draws) for name, table in features.items()}
    return [
        measure(f"rsa-{structure.name}", f"RSA, {structure.title}",
                f"rank correlation with dissimilarities of {structure.title}, −1 to 1", similar, paired=paired),
        measure(f"cka-{structure.name}", f"CKA, {structure.title}",
                f"unbiased linear CKA with {structure.title}, about 0 for unrelated ones, to 1", aligned, paired=False),
    ]  # fmt: skip


def _rsa(rdms: Mapping[str, Floats], people: Floats, draws: int, seed: int) -> dict[str, Estimate]:
    """A model whose features are all equally far apart has none."""
    there = {name: rdm for name, rdm in rdms.items() if np.ptp(rdm) > 0}
    if not there:
        return {}
    found = rsa(np.stack(list(there.values())), people, draws=draws, seed=seed)
    return {
        name: Estimate(value=float(found.score[m]), reason="", draws=found.draws[:, m], units=found.stimuli)
        for m, name in enumerate(there)
    }


def _cka(features: Floats, people: Floats, draws: int) -> Estimate:
    try:
        value = linear_cka(features, people)
    except DataError as error:
        return _undefined(str(error), draws, len(features))
    return Estimate(value=value, reason="", draws=np.full(draws, np.nan), units=len(features))


def _undefined(why: str, draws: int, stimuli: int) -> Estimate:
    reason = why or "features that are all equally far apart"
    return Estimate(value=None, reason=reason, draws=np.full(draws, np.nan), units=stimuli)
