"""Recalls: the average recall of answers to a task, over draws of whole speakers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from affekt.study.clips.scores import ClipScores, Floats, Ints
from affekt.study.statistics import Resampled, resample


def recalls(
    scores: ClipScores, task: str, answers: Mapping[str, Mapping[int, Floats]], draws: int
) -> dict[str, Resampled]:
    """Of each name in ``answers``, the draws being the same for all.

    Args:
        answers: name -> seed -> ``(n, K)`` log-probabilities of the n clips whose label of the task is known.
    """
    known = scores.labels[task] >= 0
    labels, speakers = scores.labels[task][known], scores.speakers[known]
    right = {name: {seed: _right(logs, labels) for seed, logs in runs.items()} for name, runs in answers.items()}
    several = len(np.unique(speakers)) > 1
    return resample(right, groups=speakers if several else None, classes=labels, draws=draws)


def _right(logs: Floats, labels: Ints) -> Floats:
    right: Floats = (logs.argmax(axis=1) == labels).astype(np.float64)
    return right
