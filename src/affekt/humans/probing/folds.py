"""Folds: which pictures are held out together, and which of the rest choose the penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from affekt.data.stimuli import Ints, Stimuli, Strings
from affekt.data.stratifying import assign, strata
from affekt.errors import DataError

Unit = Literal["group", "item"]


@dataclass(frozen=True, kw_only=True)
class Folds:
    """The outer folds of one repeat and, within them, the inner ones; both stratified by the labels, units whole.

    Attributes:
        outer: ``(N,)`` from 0 to K - 1.
        seed: of this repeat; the same folds as ``[affective] folds`` of a recipe cuts with that seed.
        inner_folds: how many.
        ids, units: ``(N,)``; pictures of one unit are in one fold, in the outer and in the inner ones.
        classes: ``(N,)`` what folds are balanced by.
    """

    outer: Ints
    seed: int
    inner_folds: int
    ids: Strings
    units: Strings
    classes: Ints

    def inner(self, fold: int, rows: Ints) -> Ints:
        """``(len(rows),)`` the inner fold of each training picture of outer fold ``fold``."""
        shares = np.full(self.inner_folds, 1 / self.inner_folds)
        purpose = ("inner folds", self.seed, self.inner_folds, fold)
        return assign(self.ids[rows], self.units[rows], self.classes[rows], shares, *purpose)


def cut(people: Stimuli, unit: Unit, *, folds: int, inner_folds: int, seed: int) -> Folds:
    """The folds of one repeat.

    Args:
        people: N pictures with labels and groups.
        unit: ``"group"``: no group stands in two folds; ``"item"``: single pictures, which leaks what groups share.

    Raises:
        DataError: fewer units than the folds need.
    """
    units = people.groups if unit == "group" else people.ids
    found = len(np.unique(units))
    needed = max(folds, inner_folds + -(-found // folds))
    if found < needed:
        or_items = ", or for folds over pictures: --unit item" if unit == "group" else ""
        raise DataError(
            f"{people.name}: {found} {unit}s cannot be cut into {folds} folds with {inner_folds} inner folds; "
            f"ask for fewer (--folds, --inner-folds){or_items}"
        )
    classes = strata(people.labels, len(people))
    outer = assign(people.ids, units, classes, np.full(folds, 1 / folds), "folds", seed, folds)
    return Folds(outer=outer, seed=seed, inner_folds=inner_folds, ids=people.ids, units=units, classes=classes)
