"""Gathering: every run's predictions, one run in memory at a time, kept as the little that the figures show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError
from affekt.study.report.predictions import Detail, Floats, Ints, Reduced, read_predictions
from affekt.study.report.reading import Study


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The regulated condition that is looked at item by item: its runs' items one after another.

    Attributes:
        condition: its name.
        seeds: those of its runs.
        ids: ``(N,)`` of one run's items.
        mean: ``(N,)`` each item's r, mean over the seeds.
        regulation: ``(S N,)``.
        affect: ``(S N, A)``.
        category: ``(S N,)``, -1 for unknown.
    """

    condition: str
    seeds: tuple[int, ...]
    ids: NDArray[np.str_]
    mean: Floats
    regulation: Floats
    affect: Floats
    category: Ints

    @property
    def n(self) -> int:
        """Items of one run."""
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Predictions of a study.

    Attributes:
        runs: condition -> seed -> what one run did, conditions in the study's order.
        shown: None without a regulated run.
        notes: runs that could not be read.
    """

    runs: dict[str, dict[int, Reduced]]
    shown: Shown | None
    notes: Sequence[str]

    @property
    def regulated(self) -> dict[str, list[Reduced]]:
        """The conditions with two branches, and their runs."""
        found = {name: [run for run in runs.values() if run.regulated] for name, runs in self.runs.items()}
        return {name: runs for name, runs in found.items() if runs}


def gather(study: Study) -> Gathered:
    """Read the predictions of all runs of a study.

    The condition that is looked at item by item is the study's method; if that has no regulated run, the first that
    has one.
    """
    found: dict[str, dict[int, Reduced]] = {}
    details: dict[str, dict[int, Detail]] = {}
    notes = []
    method = str(study.comparison.get("method") or "")
    asked: str | None = None
    for run in sorted(study.runs, key=lambda run: run.condition != method):
        detailed = asked in (None, run.condition)
        try:
            reduced, detail = read_predictions(run.path / "predictions.npz", detail=detailed)
        except AffektError as error:
            notes.append(f"{run.condition}, seed {run.seed}: {error}; it is left out of the figures on single items.")
            continue
        found.setdefault(run.condition, {})[run.seed] = reduced
        if detail is not None:
            asked = run.condition
            details.setdefault(run.condition, {})[run.seed] = detail
    names = [name for name in dict.fromkeys(run.condition for run in study.runs) if name in found]
    return Gathered(runs={name: found[name] for name in names}, shown=_shown(details, notes), notes=notes)


def _shown(details: dict[str, dict[int, Detail]], notes: list[str]) -> Shown | None:
    if not details:
        return None
    condition, runs = next(iter(details.items()))
    ids = next(iter(runs.values())).ids
    width = next(iter(runs.values())).affect.shape[1]
    same = {s: d for s, d in runs.items() if np.array_equal(d.ids, ids) and d.affect.shape[1] == width}
    if len(same) < len(runs):
        others = ", ".join(str(seed) for seed in runs if seed not in same)
        notes.append(f"{condition}, seeds {others}: other test items than seed {next(iter(runs))}; left out of its r.")
    return Shown(
        condition=condition,
        seeds=tuple(same),
        ids=ids,
        mean=np.mean([d.regulation for d in same.values()], axis=0),
        regulation=np.concatenate([d.regulation for d in same.values()]),
        affect=np.concatenate([d.affect for d in same.values()]),
        category=np.concatenate([d.category for d in same.values()]),
    )
