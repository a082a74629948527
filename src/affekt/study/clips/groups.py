"""Groups: how well a condition does a task for the clips of each class of the other labels, and the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from affekt.errors import UsageError
from affekt.study.clips.scores import ClipScores, Floats
from affekt.study.points import POINT
from affekt.study.statistics.by_group import Bounded, ByGroup, by_group

Json = dict[str, Any]

FEW = 4
"""A label with more classes than this makes no groups: a table of all differences would say nothing."""


def groups_of(scores: ClipScores, task: str, runs: Sequence[Floats], draws: int) -> Json:
    """Label -> recalls and accuracies of its classes' clips, percent, and their differences, points; mean over runs.

    See :func:`compared`.
    """
    return {label: _plain(by) for label, by in compared(scores, task, runs, draws).items()}


def compared(scores: ClipScores, task: str, runs: Sequence[Floats], draws: int) -> dict[str, ByGroup]:
    """Label -> how well the task is done for the clips of each of its classes.

    Labels of the study's clips other than the task itself, learned or not; those that cannot be compared are left out.

    Args:
        runs: ``(n, K)`` log-probabilities of the clips whose label of this task is known, of each seed.
        draws: of the bootstrap over speakers.
    """
    known = scores.labels[task] >= 0
    said = np.stack([logs.argmax(axis=1) for logs in runs])
    found = {}
    for label, classes in scores.classes.items():
        if label == task or len(classes) > FEW:
            continue
        words = np.array([*classes, ""])[scores.labels[label][known]]
        try:
            found[label] = by_group(
                said,
                scores.labels[task][known],
                words,
                scores.speakers[known],
                classes=scores.classes[task],
                draws=draws,
            )
        except UsageError:  # fewer than two groups, or no class that all have: there is nothing to compare
            continue
    return found


def _plain(by: ByGroup) -> Json:
    return {
        "groups": [
            {"name": g.name, "n": g.clips, "speakers": g.speakers}
            | {"uar": _points(g.recall, 0.0, POINT), "accuracy": _points(g.accuracy, 0.0, POINT)}
            for g in by.groups
        ],
        "differences": [
            {"first": d.first, "second": d.second}
            | {"uar": _points(d.recall, -POINT, POINT), "accuracy": _points(d.accuracy, -POINT, POINT)}
            for d in by.differences
        ],
        "classes": list(by.classes),
        "notes": list(by.notes),
    }


def _points(found: Bounded, least: float, most: float) -> Json:
    low = None if found.low is None else max(least, POINT * found.low)
    high = None if found.high is None else min(most, POINT * found.high)
    return {"estimate": POINT * found.value, "low": low, "high": high}
