"""Tuning: the same grid of learning rates for every condition, on validation, with a seed that no run has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from affekt.errors import AffektError
from affekt.randomness import stream
from affekt.recipe import Recipe
from affekt.study.conditions import ENSEMBLES, FOLLOWING
from affekt.study.folder import RunFolder, write_text
from affekt.study.frame import TUNING
from affekt.study.jobs import Job, tuning_folder, tuning_jobs
from affekt.study.study_plan import StudyPlan

METRIC = "accuracy"
RATE = "training.learning_rate"


def tuning_seed(recipe: Recipe) -> int:
    """Far from those that people count up."""
    return stream("learning rates", recipe.seed) % 2**31


def tuned_conditions(planned: StudyPlan) -> dict[str, Recipe]:
    """The conditions that try the grid.

    Not those to which the recipe gives a learning rate of their own, those that learn by other rules than gradients,
    and ensembles, whose members are baselines and have the baseline's.
    """
    own = _given(planned.recipe)
    return {
        name: recipe
        for name, recipe in planned.conditions.items()
        if name not in own
        and recipe.model.kind != "earlier"
        and not (name in ENSEMBLES and "baseline" in planned.conditions)
    }


def _given(recipe: Recipe) -> set[str]:
    """Conditions that the recipe gives a learning rate; what follows the method has the method's."""
    said = {name for name, keys in recipe.conditions.items() if RATE in keys}
    return said | ({*FOLLOWING} if recipe.study.method in said else set())


def jobs_of(planned: StudyPlan) -> list[Job]:
    """Trials of every rate by every condition that tries the grid; none without a grid."""
    rates = planned.recipe.study.learning_rates
    return tuning_jobs(tuned_conditions(planned), rates, tuning_seed(planned.recipe)) if rates else []


def choose(planned: StudyPlan, study: Path) -> StudyPlan:
    """The plan with the rate of each condition that did best on validation; writes ``tuning.json``.

    Of equals the lowest rate is taken; a trial that failed (its loss became infinite, say) did worst.

    Raises:
        AffektError: a condition whose trials all failed.
    """
    rates = sorted(planned.recipe.study.learning_rates)
    scores = {name: {rate: _score(study, name, rate) for rate in rates} for name in tuned_conditions(planned)}
    best: dict[str, float] = {}
    for name, tried in scores.items():
        worked = {rate: score for rate, score in tried.items() if score is not None}
        if not worked:
            raise AffektError(
                f"{study / 'tuning' / name}: every learning rate of [study] learning_rates failed; see the errors there"
            )
        best[name] = max(worked, key=worked.__getitem__)
    kept = {
        "seed": tuning_seed(planned.recipe),
        "metric": f"validation/{METRIC}",
        "rates": rates,
        "conditions": {
            name: {"chosen": best[name], "scores": [tried[rate] for rate in rates], "edge": _edge(best[name], rates)}
            for name, tried in scores.items()
        },
    }
    write_text(study / TUNING, json.dumps(kept, indent=1, allow_nan=False) + "\n")
    own = _given(planned.recipe)
    tuned = {n: r if n in own else _with(r, n, best) for n, r in planned.conditions.items()}
    return replace(planned, conditions=tuned)


def _with(recipe: Recipe, name: str, best: Mapping[str, float]) -> Recipe:
    rate = best.get(name, best.get("baseline") if name in ENSEMBLES else None)
    return recipe if rate is None else replace(recipe, training=replace(recipe.training, learning_rate=rate))


def _score(study: Path, name: str, rate: float) -> float | None:
    result = RunFolder(study / tuning_folder(name, rate)).result()
    value = None if result is None else result["metrics"]["validation"][METRIC]
    return float(value) if value is not None and math.isfinite(value) else None


def _edge(rate: float, rates: list[float]) -> bool:
    """Whether a rate beyond the grid might do better still."""
    return len(rates) > 1 and rate in (rates[0], rates[-1])
