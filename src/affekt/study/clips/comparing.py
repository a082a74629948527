"""Comparing: average recall of each task by condition, declared differences, and what a leaky split would have shown.

Intervals hold for other seeds and other *speakers*: speakers are drawn whole, for all seeds and conditions at once, and
the average recall is taken anew over all clips of each draw, so that a task on which every speaker has one class
(gender) has an interval, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from affekt.recipe import Recipe
from affekt.study.clips.by_modality import by_modality
from affekt.study.clips.groups import groups_of
from affekt.study.clips.opening import learned_tasks
from affekt.study.clips.planning import counterpart, declared_for_tasks, is_leaky
from affekt.study.clips.recalls import recalls
from affekt.study.clips.scores import ClipScores
from affekt.study.points import ALPHA, POINT, Json, common_seeds, compared, paired, percent, points, spread
from affekt.study.results import Record
from affekt.study.statistics import (
    Difference,
    Resampled,
    compare,
)
from affekt.study.statistics.calibration import item_nll
from affekt.training.classification import balanced_accuracy
from affekt.weighting import delta_p

Drawn = Mapping[str, Mapping[str, Resampled]]
"""Task -> condition -> average recall over draws of speakers."""


def compare_clips(
    scores: ClipScores | None, records: Sequence[Record], recipe: Recipe, conditions: Mapping[str, Recipe]
) -> Json:
    """Everything of comparison.json that follows from the runs; recalls in percent, differences in points.

    Args:
        scores: of the finished runs; None: there are none.
        records: their lines.
        recipe: of the study.
        conditions: name -> resolved recipe, in order; one without a finished run is left out here.
    """
    declared = declared_for_tasks(recipe, conditions)
    if scores is None:
        return {
            "tasks": {},
            "n_items": 0,
            "n_groups": 0,
            "conditions": [],
            "groups": {},
            "comparisons": [],
            "leaks": [],
        }
    drawn = {task: recalls(scores, task, scores.of_task(task), recipe.study.draws) for task in scores.classes}
    order = [name for name in conditions if name in scores.runs]
    nll = {name: _nll(scores, name) for name in order}
    return {
        "tasks": {task: _task(scores, task) for task in scores.classes},
        "n_items": len(scores.ids),
        "n_groups": len(np.unique(scores.speakers)),
        "unit": "clips",
        "conditions": [
            _condition(name, conditions[name], scores, drawn, records)
            | _losses(name, nll, conditions)
            | {"given": by_modality(scores, name, recipe.study.draws)}
            for name in order
        ],
        "groups": _groups(scores, order, recipe.study.draws),
        "comparisons": _comparisons(declared, drawn, recipe),
        "leaks": [leak for name in order if is_leaky(conditions[name]) for leak in _leaks(name, conditions, drawn)],
    }


def _task(scores: ClipScores, task: str) -> Json:
    labels = scores.labels[task]
    counts = {name: int((labels == k).sum()) for k, name in enumerate(scores.classes[task])}
    return {"classes": list(scores.classes[task]), "n": int((labels >= 0).sum()), "of_class": counts}


def _condition(name: str, resolved: Recipe, scores: ClipScores, drawn: Drawn, records: Sequence[Record]) -> Json:
    runs = scores.runs[name]
    seeds = sorted(runs)
    own = sorted((r for r in records if r["condition"] == name), key=lambda r: seeds.index(int(r["seed"])))
    learned = [task for task in learned_tasks(resolved) if name in drawn.get(task, {})]
    return {
        "name": name,
        "seeds": seeds,
        "leaky": is_leaky(resolved),
        "rule": resolved.weighting.name,
        "tasks": {task: _measures(name, task, scores, drawn[task][name]) for task in learned},
        "parameters": own[0]["parameters"],
        "seconds": [r["seconds"] for r in own],
    }


def _measures(name: str, task: str, scores: ClipScores, drawn: Resampled) -> Json:
    """Recall, accuracy and log-loss of one task; recall by class and by speaker, means over seeds."""
    known = scores.labels[task] >= 0
    labels, speakers = scores.labels[task][known], scores.speakers[known]
    runs = list(scores.of_task(task)[name].values())
    said = [logs.argmax(axis=1) for logs in runs]
    classes = scores.classes[task]
    present = [k for k in range(len(classes)) if (labels == k).any()]
    return {
        "uar": percent(drawn),
        "accuracy": spread([POINT * float((answer == labels).mean()) for answer in said]),
        "nll": spread([float(item_nll(logs, labels).mean()) for logs in runs]),
        "recall": {classes[k]: POINT * float(np.mean([(a == k)[labels == k].mean() for a in said])) for k in present},
        "speakers": {
            str(who): POINT
            * float(np.mean([balanced_accuracy(a[speakers == who], labels[speakers == who]) for a in said]))
            for who in np.unique(speakers)
        },
    }


def _groups(scores: ClipScores, order: Sequence[str], draws: int) -> Json:
    """Condition -> task -> label -> its groups, where there are any."""
    found: Json = {}
    for task in scores.classes:
        of_task = scores.of_task(task)
        for name in (name for name in order if name in of_task):
            if groups := groups_of(scores, task, list(of_task[name].values()), draws):
                found.setdefault(name, {})[task] = groups
    return found


def _nll(scores: ClipScores, name: str) -> dict[int, dict[str, float]]:
    """Seed -> task -> mean log-loss."""
    found: dict[int, dict[str, float]] = {}
    for task in scores.classes:
        labels = scores.labels[task][scores.labels[task] >= 0]
        for seed, logs in scores.of_task(task).get(name, {}).items():
            found.setdefault(seed, {})[task] = float(item_nll(logs, labels).mean())
    return found


def _losses(name: str, nll: Mapping[str, Mapping[int, Mapping[str, float]]], conditions: Mapping[str, Recipe]) -> Json:
    """The unweighted sum of the log-losses and Delta_p, of a condition that learns several tasks; else None of both."""
    tasks = learned_tasks(conditions[name])
    nothing: Json = {"nll_sum": None, "delta_p": None, "delta_p_seeds": 0}
    if len(tasks) < 2:
        return nothing
    found = {**nothing, "nll_sum": spread([sum(of.values()) for of in nll[name].values()])}
    alone = {task: _alone(task, conditions) for task in tasks}
    single = {task: nll.get(other or "", {}) for task, other in alone.items()}
    seeds = [seed for seed in nll[name] if all(seed in single[task] for task in tasks)]
    if is_leaky(conditions[name]) or not seeds:
        return found
    joint = {task: float(np.mean([nll[name][s][task] for s in seeds])) for task in tasks}
    one = {task: float(np.mean([single[task][s][task] for s in seeds])) for task in tasks}
    return {**found, "delta_p": POINT * delta_p(joint, one), "delta_p_seeds": len(seeds)}


def _alone(task: str, conditions: Mapping[str, Recipe]) -> str | None:
    """The first condition that learns this task and nothing else, on a sound split."""
    there = (n for n, resolved in conditions.items() if learned_tasks(resolved) == (task,) and not is_leaky(resolved))
    return next(there, None)


def _comparisons(declared: Sequence[tuple[str, str, str]], drawn: Drawn, recipe: Recipe) -> list[Json]:
    """Each declared comparison on each task; Holm counts all of them, also those that have no runs yet."""
    made: dict[str, Difference] = {}
    for first, second, task in declared:
        if (found := paired(first, second, drawn.get(task, {}))) is not None:
            made[_title(first, second, task)] = found
    margin = recipe.study.margin / POINT
    tested = compare(made, margin=margin, alpha=ALPHA, more=len(declared) - len(made)) if made else []
    by_title = {c.name: c for c in tested}
    out: list[Json] = []
    for first, second, task in declared:
        title = _title(first, second, task)
        bare: Json = {"name": f"{first} - {second}", "first": first, "second": second, "task": task}
        if title in by_title:
            seeds = common_seeds(first, second, drawn[task])
            bare |= compared(by_title[title], seeds, family=len(declared), units="speakers")
        out.append(bare)
    return out


def _title(first: str, second: str, task: str) -> str:
    return f"{first} - {second}, {task}"


def _leaks(name: str, conditions: Mapping[str, Recipe], drawn: Drawn) -> list[Json]:
    """How much higher a leaky condition scores than the same on speakers that it has not heard; no verdict, no p."""
    other = counterpart(name, conditions)
    found: list[Json] = []
    for task in learned_tasks(conditions[name]):
        d = None if other is None else paired(name, other, drawn.get(task, {}))
        if d is not None:
            found.append({"condition": name, "against": other, "task": task, **points(d), "n_seeds": d.seeds})
    return found
