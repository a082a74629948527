"""By modality: how well networks of sound and pictures do with one of the two missing at test."""

from __future__ import annotations

from typing import Any

from affekt.study.clips.recalls import recalls
from affekt.study.clips.scores import ClipScores
from affekt.study.points import paired, percent, points

Json = dict[str, Any]

BOTH = "all"


def by_modality(scores: ClipScores, name: str, draws: int) -> Json:
    """What is given -> task -> ``uar``, percent, and ``difference`` from both being given, points, of one condition.

    The speakers are drawn alike for both sides of a difference.
    """
    runs = scores.given.get(name, {})
    found: Json = {}
    for word in dict.fromkeys(word for of in runs.values() for word in of):
        for task in dict.fromkeys(task for of in runs.values() for task in of.get(word, {})):
            known = scores.labels[task] >= 0
            alone = {seed: of[word][task][known] for seed, of in sorted(runs.items()) if task in of.get(word, {})}
            both = {seed: scores.runs[name][seed][task][known] for seed in alone}
            drawn = recalls(scores, task, {word: alone, BOTH: both}, draws)
            difference = paired(word, BOTH, drawn)
            assert difference is not None
            found.setdefault(word, {})[task] = {"uar": percent(drawn[word]), "difference": points(difference)}
    return found
