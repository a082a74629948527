"""Joint losses of runs over folds: weights by step and gradient cosines by epoch, out of the log of every fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affekt.errors import AffektError
from affekt.study.report.joint import Joint, cosines_in
from affekt.study.results import folds_of

APART = 1000
"""Between the keys of two seeds, so that each fold of each has one of its own."""


def read_clip_joints(runs: Sequence[tuple[str, int, Path]]) -> tuple[list[Joint], list[str]]:
    """Of each condition what the logs of its runs (condition, seed, folder) say, a key a seed and fold; and notes."""
    found: dict[str, Joint] = {}
    notes: list[str] = []
    for condition, seed, run in runs:
        joint = found.setdefault(condition, Joint(condition=condition))
        for number, folder in enumerate(folds_of(run) or [run]):
            try:
                _read(joint, seed * APART + number, folder)
            except (AffektError, OSError, ValueError, TypeError, KeyError) as error:
                notes.append(
                    f"{condition}, seed {seed}, {folder.name}: its log cannot be read ({error}) and is left out."
                )
    return list(found.values()), notes


def _read(joint: Joint, key: int, folder: Path) -> None:
    from affekt.training import read_weights

    log = folder / "log.jsonl"
    if not log.exists():
        return
    weights = read_weights(folder)
    if weights is not None and len(weights.tasks) > 1:
        joint.weights[key] = (weights.tasks, weights.steps, weights.weights)
    if cosines := cosines_in(log):
        joint.cosines[key] = cosines
