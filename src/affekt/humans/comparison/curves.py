"""Curves: right answers over the strengths of a manipulation, of people and of each model, with a psychometric fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from affekt.errors import MissingExtra
from affekt.humans.comparison.chosen import Chosen
from affekt.humans.comparison.parts import PEOPLE, Curve
from affekt.humans.psychophysics import Direction, Psychometric, count_levels, psychometric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MORPH = "morph"
FEWEST = 3
"""Strengths below which there is no curve."""

_CONDITION = re.compile(r"(?:(?P<name>.*?\D)[-_ ])?(?P<level>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


def curves(chosen: Chosen, responses: Mapping[str, Ints], *, seed: int) -> tuple[list[Curve], list[str]]:
    """A curve of each observer over each manipulation with three strengths; and notes on those without a fit.

    A condition reads ``name-strength``, as ``affekt stimuli`` names them, or is a number. Guesses are fixed at chance;
    of a morph, whose answers are the first face or not, both ends may lapse. Whether answers become more or fewer with
    the strength is people's: one direction for all.

    Args:
        chosen: stimuli with a right answer each.
        responses: model -> ``(M,)`` index of its answer.
    """
    found: list[Curve] = []
    notes: list[str] = []
    for manipulation, levels in _manipulations(chosen.conditions):
        inside = ~np.isnan(levels)
        trials = {PEOPLE: _pooled(chosen, levels, inside)}
        for name, answers in responses.items():
            trials[name] = (levels[inside], (answers == chosen.truth)[inside].astype(np.float64))
        direction = _direction(*trials[PEOPLE])
        for observer, (x, right) in trials.items():
            if not len(x):
                continue
            table = count_levels(x, right)
            try:
                fitted = _fit(table, manipulation, len(chosen.categories), direction, seed)
            except MissingExtra as missing:
                return [], [f"No psychometric curves: {missing}"]
            levels_, positive, total = table
            found.append(
                Curve(
                    manipulation=manipulation,
                    observer=observer,
                    levels=levels_,
                    shares=positive / total,
                    trials=total,
                    fitted=fitted,
                )
            )
            if not fitted.converged:
                notes.append(f"No psychometric curve of {observer} over {manipulation or 'strength'}: {fitted.reason}.")
    return found, notes


def parse_condition(condition: str) -> tuple[str, float] | None:
    """``"eyes-0.5"`` -> ``("eyes", 0.5)``, ``"0.2"`` -> ``("", 0.2)``; None for a word alone."""
    match = _CONDITION.fullmatch(condition.strip())
    return None if match is None else (match["name"] or "", float(match["level"]))


def _manipulations(conditions: NDArray[np.str_]) -> Iterator[tuple[str, Floats]]:
    """Each manipulation with three strengths or more, and the strength of each stimulus in it, NaN for others."""
    parsed = [parse_condition(c) for c in conditions.tolist()]
    for name in sorted({p[0] for p in parsed if p is not None}):
        levels = np.array([p[1] if p is not None and p[0] == name else np.nan for p in parsed])
        if len(np.unique(levels[~np.isnan(levels)])) >= FEWEST:
            yield name, levels


def _pooled(chosen: Chosen, levels: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Every person's answers one after another: their strengths, and whether each was right."""
    x: list[Floats] = []
    right: list[Floats] = []
    for answers in chosen.observers.values():
        given = inside & (answers != -1)
        x.append(levels[given])
        right.append((answers == chosen.truth)[given].astype(np.float64))
    return (np.concatenate(x), np.concatenate(right)) if x else (np.empty(0), np.empty(0))


def _direction(levels: Floats, right: Floats) -> Direction:
    if not len(levels):
        return "falling"
    return "rising" if float(((levels - levels.mean()) * right).sum()) > 0 else "falling"


def _fit(
    table: tuple[Floats, Floats, Floats], manipulation: str, categories: int, direction: Direction, seed: int
) -> Psychometric:
    return psychometric(
        *table,
        guess="lapse" if manipulation == MORPH else 1 / categories,
        direction=direction,
        seed=seed,
    )
