"""Joint losses: what each run says of its several losses - unweighted on test, their weights by step, their cosines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.recipe import load_recipe
from affekt.report.numbers import known

Series = tuple[list[float], list[float]]
"""Epochs, and a value after each."""


@dataclass(kw_only=True)
class Joint:
    """The losses of one condition's runs, by seed.

    Attributes:
        condition: its name.
        alone: the task that it learns alone; empty where it learns several.
        losses: unweighted on test, by task.
        weights: tasks, ``(T,)`` steps from 1 and ``(T, n)`` weights, where a run has any.
        cosines: pair of tasks -> cosine of their gradients after each epoch, where a run noted them.
    """

    condition: str
    alone: str = ""
    losses: dict[int, Mapping[str, float]] = field(default_factory=dict)
    weights: dict[int, tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=dict)
    cosines: dict[int, Mapping[str, Series]] = field(default_factory=dict)

    def mean(self, task: str, seeds: Sequence[int] | None = None) -> float | None:
        """Mean of a loss over seeds; None where one of them lacks it."""
        found = [self.losses.get(seed, {}).get(task) for seed in (self.losses if seeds is None else seeds)]
        return float(np.mean([v for v in found if v is not None])) if found and None not in found else None


def read_joint(runs: Sequence[tuple[str, int, Path]]) -> tuple[list[Joint], list[str]]:
    """Of the conditions with two losses or more, in the order of ``runs`` (condition, seed, folder); and notes."""
    found: dict[str, Joint] = {}
    notes = []
    for condition, seed, folder in runs:
        try:
            losses = _losses(folder / "result.json")
            if len(losses) > 1:
                _read(found.setdefault(condition, Joint(condition=condition)), seed, folder, losses)
        except (AffektError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            notes.append(f"{condition}, seed {seed}: its losses cannot be read ({error}) and are left out.")
    return [joint for joint in found.values() if joint.losses], notes


def _losses(path: Path) -> dict[str, float]:
    if not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8")).get("losses") or {}
    return {task: float(value) for task, value in (held.get("test") or {}).items() if known(value)}


def _read(joint: Joint, seed: int, folder: Path, losses: Mapping[str, float]) -> None:
    from affekt.training import read_weights

    recipe = folder / "recipe.toml"
    if recipe.exists():
        rule = load_recipe(recipe).weighting
        joint.alone = str(rule.options.get("task", "")) if rule.name == "single" else ""
    log = folder / "log.jsonl"
    if log.exists():
        weights = read_weights(folder)
        if weights is not None:
            joint.weights[seed] = (weights.tasks, weights.steps, weights.weights)
        cosines = cosines_in(log)
        if cosines:
            joint.cosines[seed] = cosines
    joint.losses[seed] = losses


def cosines_in(log: Path) -> dict[str, Series]:
    """Pair of tasks -> cosine of their gradients after each epoch, out of a log."""
    found: dict[str, Series] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        record: Mapping[str, Any] = json.loads(line) if '"gradient_cosine"' in line else {}
        for pair, value in (record.get("gradient_cosine") or {}).items():
            if known(value):
                epochs, values = found.setdefault(pair, ([], []))
                epochs.append(float(record["epoch"]))
                values.append(float(value))
    return found


def changes_of(joint: Joint, every: Sequence[Joint]) -> dict[str, float | int | None]:
    """``delta_p`` of a condition's losses against the conditions of one task each, over the ``n`` seeds that all have.

    None where a task has no such condition.
    """
    from affekt.weighting import delta_p

    single = {other.alone: other for other in every if other.alone}
    tasks = list(next(iter(joint.losses.values())))
    nothing: dict[str, float | int | None] = {"delta_p": None, "delta_p_seeds": None}
    if joint.alone or not set(tasks) <= single.keys():
        return nothing
    seeds = [seed for seed in joint.losses if all(seed in single[task].losses for task in tasks)]
    here = {task: joint.mean(task, seeds) for task in tasks}
    there = {task: single[task].mean(task, seeds) for task in tasks}
    if not seeds or None in (*here.values(), *there.values()) or 0 in there.values():
        return nothing
    value = delta_p({t: v for t, v in here.items() if v is not None}, {t: v for t, v in there.items() if v is not None})
    return {"delta_p": value, "delta_p_seeds": len(seeds)}
