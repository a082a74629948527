"""Accuracy and errors: how often each model and each person is right, whether on the same stimuli, by condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.agreement import (
    Bootstrap,
    ErrorConsistency,
    Estimate,
    consistency_among,
    consistency_with,
)
from affekt.humans.comparison.chosen import Chosen
from affekt.humans.comparison.constant import Constant, constant
from affekt.humans.comparison.measures import LEVEL, Line, Measure, changed, line, mean_of, measure
from affekt.humans.comparison.parts import PEOPLE, ByCondition

Floats = NDArray[np.float64]

AMONG = "people among themselves"
SIMULATED = "observers are simulated from votes: how alike they err says nothing of people"
ALONE = "one person alone"
ALWAYS = "right, or wrong, on every stimulus, so that errors can neither agree nor disagree: kappa is undefined"


@dataclass(frozen=True, kw_only=True)
class Erring:
    """What is said of errors, and who is left out of kappa."""

    measures: list[Measure]
    conditions: list[ByCondition]
    constant: Constant


@dataclass(frozen=True, kw_only=True)
class _Condition:
    """Agreement in one condition, or in all where there is one; people among themselves are None with a ``reason``.

    ``kappa`` and ``among_kappa`` are without people who give one answer to everything.
    """

    name: str
    stimuli: int
    models: Mapping[str, ErrorConsistency]
    kappa: Mapping[str, Estimate]
    among: ErrorConsistency | None
    reason: str
    among_kappa: Estimate | None
    kappa_reason: str


def erring(chosen: Chosen, responses: Mapping[str, NDArray[np.int64]], shared: Bootstrap) -> Erring | None:
    """Accuracy, its difference from people's, observed consistency and kappa; means over conditions.

    Conditions are looked at one by one, over one draw of stimuli, and then averaged (Geirhos et al. 2020): pooled, two
    observers would seem to err alike because some conditions are hard for everybody. Who gives one answer to
    everything, in all conditions, has no kappa: its errors are the stimuli that ask for another answer.

    Args:
        chosen: M stimuli with a right answer each.
        responses: model -> ``(M,)`` index of its answer.
        shared: the bootstrap of these stimuli.

    Returns:
        None where no person has answered.
    """
    people = {name: _right(answers, chosen.truth) for name, answers in chosen.observers.items()}
    models = {name: _right(answers, chosen.truth) for name, answers in responses.items()}
    names = sorted(set(chosen.conditions.tolist()))
    same = constant(chosen, responses)
    every = [_in_condition(c, chosen, models, people, same, shared) for c in names]
    found = [c for c in every if c is not None]
    if not found:
        return None
    conditions = [_by_condition(c) for c in found] if len(found) > 1 else []
    return Erring(measures=_measures(found, chosen), conditions=conditions, constant=same)


def _right(answers: NDArray[np.int64], truth: NDArray[np.int64]) -> Floats:
    return np.where(answers == -1, np.nan, answers == truth).astype(np.float64)


def _in_condition(
    name: str,
    chosen: Chosen,
    models: Mapping[str, Floats],
    people: Mapping[str, Floats],
    same: Constant,
    shared: Bootstrap,
) -> _Condition | None:
    """None where nobody has answered in it."""
    inside = chosen.conditions == name
    theirs = {p: np.where(inside, right, np.nan) for p, right in people.items()}
    theirs = {p: right for p, right in theirs.items() if not np.isnan(right).all()}
    if not theirs:
        return None
    compared = consistency_with(models, theirs, shared)
    among, reason = _among(theirs, shared, simulated=bool(chosen.simulated))
    varying = {p: right for p, right in theirs.items() if p not in same.people}
    held, between, why = compared, among, reason
    if len(varying) < len(theirs):
        held = consistency_with(models, varying, shared) if varying else compared
        between, why = _among(varying, shared, simulated=bool(chosen.simulated))
        why = same.of_people if between is None and not chosen.simulated else why
    return _Condition(
        name=name,
        stimuli=int(inside.sum()),
        models=compared,
        kappa={m: _kappa(m, one, same.reason(m) or ("" if varying else same.of_people)) for m, one in held.items()},
        among=among,
        reason=reason,
        among_kappa=None if between is None else between.kappa,
        kappa_reason=why,
    )


def _kappa(model: str, found: ErrorConsistency, reason: str) -> Estimate:
    """A model's kappa, undefined for ``reason``, or where everything is right or wrong."""
    if reason or found.kappa.value is None:
        return changed(found.kappa, reason=reason)
    if found.accuracy.value in (0.0, 1.0):
        # The bounds of kappa are 0 and 0 there: the number would look like a finding.
        return changed(found.kappa, reason=f"{model} is {ALWAYS}")
    if found.lowest.value == found.highest.value == 0.0:
        return changed(found.kappa, reason=f"people are {ALWAYS}")
    return found.kappa


def _among(people: Mapping[str, Floats], shared: Bootstrap, *, simulated: bool) -> tuple[ErrorConsistency | None, str]:
    if simulated:
        return None, SIMULATED
    if len(people) < 2:
        return None, ALONE
    try:
        return consistency_among(people, shared), ""
    except DataError:
        return None, "some two people have answered to no common stimulus"


def _measures(found: list[_Condition], chosen: Chosen) -> list[Measure]:
    models = list(found[0].models)
    mean = {key: {m: mean_of([_of(c, m, key) for c in found]) for m in models} for key in _KEYS}
    accuracy = _people(found, "accuracy", "people's mean accuracy", ceiling=False)
    if chosen.simulated:
        accuracy = _simulated_accuracy(found, models[0])
    over = ", mean over conditions" if len(found) > 1 else ""
    about = {
        "accuracy": f"share of stimuli with the right answer, 0 to 1{over}",
        "difference": f"−1 to 1; 0: as often right as people{over}",
        "kappa": f"agreement of a model's errors with a person's beyond chance, −1 to 1; 0: unrelated errors{over}",
        "distance": f"how far a model's accuracy is from people's, either way, 0 to 1{over}",
        "observed": f"share of stimuli that a model and a person both have right or both wrong, 0 to 1{over}",
    }
    kappa, observed = "error consistency (kappa)", "observed consistency"
    return [
        measure("accuracy", "accuracy", about["accuracy"], mean["accuracy"], best="none", people=accuracy),
        measure("accuracy-difference", "accuracy less people's", about["difference"], mean["difference"], best="zero",
                paired=False),
        measure("error-consistency", kappa, about["kappa"], mean["kappa"], people=_people(found, "kappa", AMONG),
                chance=0.0),
        measure("observed-consistency", observed, about["observed"], mean["observed"],
                people=_people(found, "observed", AMONG)),
        measure("accuracy-distance", "accuracy, distance from people's", about["distance"],
                {m: changed(e, np.abs) for m, e in mean["difference"].items()}, best="low"),
    ]  # fmt: skip


_KEYS = ("accuracy", "difference", "observed", "kappa")


def _of(condition: _Condition, model: str, key: str) -> Estimate:
    if key == "kappa":
        return condition.kappa[model]
    estimate: Estimate = getattr(condition.models[model], key)
    return estimate


def _people(found: list[_Condition], key: str, said: str, *, ceiling: bool = True) -> Line:
    if key == "kappa":
        among, reason = [c.among_kappa for c in found if c.among_kappa is not None], found[0].kappa_reason
    else:
        among, reason = [getattr(c.among, key) for c in found if c.among is not None], found[0].reason
    if not among:
        return Line(value=None, said=said, reason=reason, ceiling=ceiling)
    return line(mean_of(among), said, ceiling=ceiling)


def _simulated_accuracy(found: list[_Condition], model: str) -> Line:
    """The observers' accuracy: a model's less its difference from theirs."""
    each = [c.models[model] for c in found]
    values = [(e.accuracy.value or 0.0) - (e.difference.value or 0.0) for e in each]
    return Line(value=float(np.mean(values)), said="simulated observers, no ceiling", ceiling=False)


Number = tuple[float | None, float | None, float | None, str]


def _by_condition(condition: _Condition) -> ByCondition:
    accuracy = {m: _number(_of(condition, m, "accuracy")) for m in condition.models}
    kappa = {m: _number(_of(condition, m, "kappa")) for m in condition.models}
    if condition.among is not None:
        accuracy[PEOPLE] = _number(condition.among.accuracy)
    among = condition.among_kappa
    kappa[PEOPLE] = (None, None, None, condition.kappa_reason) if among is None else _number(among)
    return ByCondition(condition=condition.name, stimuli=condition.stimuli, accuracy=accuracy, kappa=kappa)


def _number(found: Estimate) -> Number:
    low, high = found.interval(LEVEL) or (None, None)
    return found.value, low, high, found.reason
