"""Choices: each model's probabilities against the categories that people chose - errors, confusions, votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affekt.errors import first
from affekt.humans.agreement import (
    Bootstrap,
    Estimate,
    VoteCeiling,
    bootstrap,
    confusion_agreement,
    confusion_among,
    confusion_matrix,
    entropy_agreement,
    response_entropy,
    vote_agreement,
    vote_calibration,
)
from affekt.humans.comparison.chosen import Chosen
from affekt.humans.comparison.curves import curves
from affekt.humans.comparison.erring import ALONE, SIMULATED, Erring, erring
from affekt.humans.comparison.measures import Line, Measure, changed, line, measure
from affekt.humans.comparison.parts import Confusions, Differing, Part, largest
from affekt.report.numbers import counted, listed, number, share

Floats = NDArray[np.float64]
Models = Mapping[str, Floats]
"""Name -> ``(M, S)`` probabilities."""


def errors_part(chosen: Chosen, models: Models, *, resamples: int, seed: int, with_curves: bool = False) -> Part | None:
    """Right and wrong answers: accuracy, error consistency, confusions, and curves over strengths where asked for.

    Returns:
        None without right answers to two units.
    """
    answered = np.any([answers != -1 for answers in chosen.observers.values()], axis=0)
    rows = np.flatnonzero((chosen.truth >= 0) & answered)
    held, own = chosen.take(rows), {name: p[rows] for name, p in models.items()}
    if len(np.unique(held.groups)) < 2:
        return None
    shared = bootstrap(len(held), groups=held.groups, resamples=resamples, seed=seed)
    responses = {name: p.argmax(axis=1) for name, p in own.items()}
    found = erring(held, responses, shared)
    if found is None:
        return None
    over, said = curves(held, responses, seed=seed) if with_curves else ([], [])
    confused, matrices = _confused(held, responses, resamples=resamples, seed=seed)
    return Part(
        id=f"errors-{_slug(chosen.categories)}",
        title=f"Right and wrong, {_title(chosen.categories)}",
        lead=_errors_lead(held),
        stimuli=len(held),
        units=shared.units,
        models=tuple(models),
        measures=[*found.measures, *confused],
        categories=held.categories,
        simulated=held.simulated,
        confusions=matrices,
        conditions=found.conditions,
        curves=over,
        notes=[*_errors_notes(chosen, held, responses, found), *said],
    )


def _errors_lead(held: Chosen) -> str:
    right = "the intended or given category" if held.intended else "the category that most people chose"
    if not held.intended and held.simulated:
        right = "the category with most votes in the half of the votes that no observer is drawn from"
    return f"Answers among {listed(held.categories)}; right is {right}. A model answers with its likeliest category."


def _confused(
    held: Chosen, responses: Mapping[str, NDArray[np.int64]], *, resamples: int, seed: int
) -> tuple[list[Measure], Confusions | None]:
    """Confusions, of the stimuli for which somebody chose one of the categories; nothing of fewer than two units."""
    rows, k = np.flatnonzero(held.confused.any(axis=1)), len(held.categories)
    part, own = held.take(rows), {name: answers[rows] for name, answers in responses.items()}
    if len(np.unique(part.groups)) < 2:
        return [], None
    shared = bootstrap(len(part), groups=part.groups, resamples=resamples, seed=seed)
    matrices = Confusions(
        categories=part.categories,
        people=confusion_matrix(part.truth, part.confused, classes=k),
        models={name: confusion_matrix(part.truth, answers, classes=k) for name, answers in own.items()},
    )
    return _confusion_measures(part, own, shared), matrices


def _confusion_measures(held: Chosen, responses: Mapping[str, NDArray[np.int64]], shared: Bootstrap) -> list[Measure]:
    found = confusion_agreement(responses, held.confused, held.truth, shared, classes=len(held.categories))
    # One row has K - 1 kinds of error and a right answer that is large for anybody: no correlation to be read.
    alone = "every right answer is the same category: one row of a matrix" if len(np.unique(held.truth)) < 2 else ""
    every = {name: changed(one.every_cell, reason=alone) for name, one in found.items()}
    errors = {name: changed(one.off_diagonal, reason=alone) for name, one in found.items()}
    line_of, line_of_errors = _confused_people(held, shared, alone)
    about = "correlation of a model's confusion matrix (shares of each row) with people's, −1 to 1"
    high = f"{about}; right answers make it high for anybody"
    cells = [measure("confusions", "confusions, all cells", high, every, people=line_of)]
    if len(held.categories) > 2:  # of two categories there are two kinds of error, whose correlation is 1 or -1
        off = f"{about}, without the diagonal"
        cells.append(measure("confusions-errors", "confusions, errors alone", off, errors, people=line_of_errors))
    return cells


def _confused_people(held: Chosen, shared: Bootstrap, alone: str) -> tuple[Line, Line]:
    """Each person against the others, over all cells and over errors alone; no ceiling, since a model that knows what
    people do on average is nearer to them than one of them is."""
    said = "each person against all the others, mean over people"
    people = {name: np.maximum(answers, -1) for name, answers in held.observers.items()}
    people = {name: answers for name, answers in people.items() if (answers >= 0).any()}
    reason = SIMULATED if held.simulated else alone or ("" if len(people) > 1 else ALONE)
    if reason:
        none = Line(value=None, said=said, reason=reason, ceiling=False)
        return none, none
    found = confusion_among(people, held.truth, shared, classes=len(held.categories))
    lines = (line(one, said, ceiling=False) for one in (found.every_cell, found.off_diagonal))
    # Two single people's matrices hold few answers: drawing stimuli anew adds noise to both, and the percentiles can
    # lie below the value altogether.
    every, errors = (replace(one, low=None, high=None) for one in lines)
    return every, errors


def _errors_notes(chosen: Chosen, held: Chosen, responses: Mapping[str, NDArray[np.int64]], found: Erring) -> list[str]:
    notes = []
    if len(held) < len(chosen):
        left = counted(len(chosen) - len(held), "stimulus", "stimuli")
        notes.append(
            f"{left} without one right answer (a tie, none is known, or none of these categories) left out here."
        )
    for name, answers in responses.items():
        if len(np.unique(answers)) == 1:
            only = held.categories[int(answers[0])]
            notes.append(f"{name} answers “{only}” to all {len(held):,} stimuli.")
    for name in responses:
        undefined = [one.condition for one in found.conditions if one.kappa[name][0] is None]
        if undefined and not found.constant.reason(name):
            where = f"{len(undefined)} of {len(found.conditions)} conditions ({first(undefined)})"
            notes.append(f"{name}: kappa is undefined in {where}, where it is right, or wrong, on every stimulus.")
    return [*notes, *found.constant.notes]


def votes_part(chosen: Chosen, models: Models, *, resamples: int, seed: int) -> tuple[Part, list[Differing]] | None:
    """How people are divided: entropy, cross-entropy, KL, Brier score and calibration against shares of votes.

    Returns:
        None with fewer than two units of stimuli.
    """
    if len(np.unique(chosen.groups)) < 2:
        return None
    shared = bootstrap(len(chosen), groups=chosen.groups, resamples=resamples, seed=seed)
    agreement, ceiling = vote_agreement(models, chosen.votes, shared)
    calibrations = {name: vote_calibration(p, chosen.votes, shared) for name, p in models.items()}
    errors = {name: one.error for name, one in calibrations.items()}
    part = Part(
        id=f"votes-{_slug(chosen.categories)}",
        title=f"How people are divided, {_title(chosen.categories)}",
        lead=f"Each model's probabilities against the shares of people's choices among {listed(chosen.categories)}; "
        f"{number(ceiling.votes, 1)} a stimulus on average.",
        stimuli=len(chosen),
        units=shared.units,
        models=tuple(models),
        measures=[
            *_vote_measures({n: vars(one) for n, one in agreement.items()}, ceiling),
            *_entropy_measures(chosen, models, shared),
            measure("calibration", "calibration error",
                    "mean gap of confidence and the share of people who agree, over bins, 0 to 1", errors,
                    best="low", basic=True),
        ],
        categories=chosen.categories,
        calibrations=calibrations,
        notes=_votes_notes(chosen),
    )  # fmt: skip
    return part, [_differing(part, chosen, name, p) for name, p in models.items()]


def _vote_measures(found: Mapping[str, Mapping[str, Estimate]], ceiling: VoteCeiling) -> list[Measure]:
    def of(key: str) -> dict[str, Estimate]:
        return {name: one[key] for name, one in found.items()}

    bias = ceiling.bias
    known = "" if bias is None else f"; a model that knows people's long-run choices has about {bias:.3f} more"
    lowest = line(ceiling.cross_entropy, f"the lowest that any model can have: the entropy of the votes{known}")
    finite = "what finite votes leave to a model that knows people's long-run choices"
    return [
        measure("kl", "KL", "Kullback-Leibler divergence of the probabilities from the votes, nats, 0 or more",
                of("kl"), best="low", people=Line(value=bias, said=finite, reason=_one_vote(bias))),
        measure("cross-entropy", "cross-entropy", "of the votes under the probabilities, nats", of("cross_entropy"),
                best="low", people=lowest, paired=False),
        measure("brier", "Brier", "squared distance of probabilities and shares of votes, 0 to 2", of("brier"),
                best="low", people=Line(value=ceiling.brier, said=finite, reason=_one_vote(ceiling.brier))),
    ]  # fmt: skip


def _one_vote(value: float | None) -> str:
    return "" if value is not None else "no stimulus has two votes"


def _entropy_measures(chosen: Chosen, models: Models, shared: Bootstrap) -> list[Measure]:
    found = entropy_agreement(models, chosen.votes, shared)
    theirs = float(response_entropy(chosen.votes).mean())
    people = Line(value=theirs, said="people's mean entropy", ceiling=False)
    return [
        measure("entropy", "entropy", "how divided the answers to a stimulus are, mean, 0 to 1",
                {n: e.mean for n, e in found.items()}, best="zero", people=people, paired=False),
        measure("entropy-difference", "entropy less people's", "−1 to 1; above 0: more divided than people",
                {n: e.difference for n, e in found.items()}, best="zero"),
        measure("entropy-r", "entropies, r", "whether a model is divided where people are, −1 to 1",
                {n: e.pearson for n, e in found.items()}),
        measure("entropy-spearman", "entropies, Spearman", "the same by ranks",
                {n: e.spearman for n, e in found.items()}, paired=False),
    ]  # fmt: skip


def _votes_notes(chosen: Chosen) -> list[str]:
    if chosen.elsewhere <= 0:
        return []
    return [f"{share(chosen.elsewhere)} of people's choices are for other categories and are not counted here."]


def _differing(part: Part, chosen: Chosen, name: str, probabilities: Floats) -> Differing:
    shares = chosen.votes / chosen.votes.sum(axis=1, keepdims=True)
    gap = np.abs(probabilities - shares).sum(axis=1) / 2
    rows = largest(gap)
    stimuli = [
        (
            str(chosen.ids[i]),
            float(gap[i]),
            _words(chosen.categories, shares[i]),
            _words(chosen.categories, probabilities[i]),
        )
        for i in rows
    ]
    return Differing(model=name, part=part.id, what="share of the choices that differ, 0 to 1", stimuli=stimuli)


def _words(categories: Sequence[str], shares: Floats) -> str:
    """``fear 60 %, anger 30 %``: the two largest."""
    best = np.argsort(-shares, kind="stable")[:2]
    return ", ".join(f"{categories[k]} {share(shares[k], 0)}" for k in best if shares[k] >= 0.005)


def _slug(categories: Sequence[str]) -> str:
    return f"{len(categories)}"


def _title(categories: Sequence[str]) -> str:
    return listed(categories) if len(categories) <= 3 else counted(len(categories), "category", "categories")
