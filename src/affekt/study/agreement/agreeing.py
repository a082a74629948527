"""Agreeing: the networks of a study held against people, and against each other, each measure pooled over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError, first
from affekt.humans.agreement import Bootstrap, bootstrap
from affekt.humans.comparison import Comparison, Model, Part, compare
from affekt.humans.comparison.model import People
from affekt.humans.comparison.restricting import restricted
from affekt.humans.people import Answers
from affekt.study.agreement.among import Among, among
from affekt.study.agreement.claim import Claim, claim
from affekt.study.agreement.networks import Floats, Networks, Run
from affekt.study.agreement.pooling import by_condition, pool, shares
from affekt.study.agreement.profiles import Profile
from affekt.study.agreement.topic import Topic

LABELS = "labels"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What came out.

    Attributes:
        networks: of the study.
        people: as they were given.
        comparison: run by run, before seeds are pooled.
        compared: stimuli that both have; ``unrated`` of the test pictures are none of people's.
        topics: the study's own labels first, then what is held against people.
        among: error consistency of the networks among each other.
        profiles: under manipulations; none where none was asked for.
        claim: that the method beats the others and is closest to people.
        resamples, seed: of the bootstrap.
        cautions, notes: what forbids a conclusion, and what else must be known.
    """

    networks: Networks
    people: People
    comparison: Comparison
    compared: int
    unrated: int
    topics: Sequence[Topic]
    among: Among
    claim: Claim
    resamples: int
    seed: int
    profiles: Sequence[Profile] = ()
    cautions: Sequence[str] = ()
    notes: Sequence[str] = ()


def agree(
    networks: Networks,
    people: People,
    *,
    resamples: int = 1000,
    seed: int = 0,
    profiles: Sequence[Profile] = (),
) -> Agreement:
    """Hold the networks of a study against people, on the test pictures that both have.

    Args:
        profiles: as :func:`~affekt.study.agreement.profiles.profiles` made them.
        resamples: of stimuli.
        seed: of everything drawn.

    Raises:
        UsageError, DataError: as :func:`affekt.humans.comparison.compare`; nothing in common.
    """
    common = _common(networks, people)
    rows = np.flatnonzero(common)
    models = {run: _model(networks, run, rows) for run in networks.probabilities}
    held = restricted(people, networks.ids[rows].tolist())
    found = compare(held, list(models.values()), resamples=resamples, seed=seed)
    names = {model.name: run for run, model in models.items()}
    shared = bootstrap(len(rows), resamples=resamples, seed=seed)
    right = {run: networks.right(run)[rows] for run in networks.probabilities}
    own = _labels(networks, right, shared)
    constant = _constant(networks, rows)
    topics = [own, *(_topic(networks, part, names) for part in found.parts)]
    return Agreement(
        networks=networks,
        people=people,
        comparison=found,
        compared=len(rows),
        unrated=len(common) - len(rows),
        topics=topics,
        among=among(networks.conditions, right, shared, constant=constant),
        claim=claim(networks.recipe.study.method, networks.declared, topics),
        resamples=resamples,
        seed=seed,
        profiles=profiles,
        cautions=_cautions(networks, found),
        notes=[*networks.notes, *constant.values(), *_leftovers(networks.ids[~common]), *dict.fromkeys(found.notes)],
    )


def _constant(networks: Networks, rows: NDArray[np.int64]) -> dict[Run, str]:
    """The networks with one answer to everything, and what is said of them."""
    found = {}
    for run, probabilities in networks.probabilities.items():
        said = np.unique(probabilities[rows].argmax(axis=1))
        if len(said) == 1:
            found[run] = (
                f"{run_name(run)} answers “{networks.classes[said[0]]}” to all {len(rows):,} stimuli: its error "
                "consistency is undefined, with people and with other networks"
            )
    return found


def _common(networks: Networks, people: People) -> NDArray[np.bool_]:
    """Which of the test pictures are people's, too."""
    common = np.isin(networks.ids, people.ids)
    if not common.any():
        raise DataError(
            f"{networks.folder}: none of its {len(networks.ids)} test pictures is one of people's "
            f"{len(people.ids)} ({people.name}), e.g. {networks.ids[0]} there, {people.ids[0]} here"
        )
    return common


def _leftovers(ids: NDArray[np.str_]) -> list[str]:
    return [f"people have no answer to {len(ids):,} of the test pictures ({first(ids, n=3)})"] if len(ids) else []


def run_name(run: Run) -> str:
    """What a run is called among the models of a comparison."""
    return f"{run[0]}, seed {run[1]}"


def _model(networks: Networks, run: Run, rows: NDArray[np.int64]) -> Model:
    name = run_name(run)
    own = networks.probabilities[run][rows]
    answers = Answers(name=name, ids=networks.ids[rows], categories=networks.classes, probabilities=own)
    return Model(name=name, answers=answers)


def _labels(networks: Networks, right: Mapping[Run, Floats], shared: Bootstrap) -> Topic:
    measured = pool(
        "accuracy-labels",
        "accuracy",
        "share of test pictures with the study's own label, 0 to 1",
        by_condition(shares(right, shared), networks.conditions),
        networks.declared,
        best="high",
        missing=networks.missing,
    )
    return Topic(
        id=LABELS,
        title="The study's own labels",
        lead="Right is the class by which the networks were trained and tested.",
        stimuli=shared.stimuli,
        measures=[measured],
    )


def _topic(networks: Networks, part: Part, names: Mapping[str, Run]) -> Topic:
    measures = [
        pool(
            one.name,
            one.title,
            one.about,
            by_condition({names[name]: found for name, found in one.models.items()}, networks.conditions),
            networks.declared,
            best=one.best,
            people=one.people,
            missing=networks.missing,
        )
        for one in part.measures
    ]
    return Topic(
        id=part.id,
        title=part.title,
        lead=part.lead,
        stimuli=part.stimuli,
        measures=measures,
        simulated=part.simulated,
        notes=part.notes,
    )


def _cautions(networks: Networks, found: Comparison) -> list[str]:
    seeds = min(len(networks.seeds(name)) for name in networks.conditions)
    said = []
    if seeds == 1:
        said.append(
            "Anything about other seeds, where a condition has one: its interval holds for other pictures with these "
            "very networks."
        )
    if found.simulated:
        said.append("How alike people err: " + found.simulated)
    said.append("That there is no difference where none is told: not told apart is not the same as alike.")
    return said
