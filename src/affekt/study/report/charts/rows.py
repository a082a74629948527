"""Rows of quantiles: a number's spread within each class, classes in order of their median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.report.drawing import COLOURS, MUTED, canvas, label_room, placed
from affekt.report.numbers import count, shortened
from affekt.report.table import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 40
QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}


@dataclass(frozen=True)
class Rows:
    """The classes that a figure shows, and what it says of the others."""

    shown: Sequence[Record]
    note: str = ""


def by_class(values: NDArray[np.float64], category: NDArray[np.int64], classes: Sequence[str]) -> list[Record]:
    """Quantiles of the finite values in each class that has any; class names beyond those given are numbers."""
    found: list[Record] = []
    for k in np.unique(category[category >= 0]):
        held = values[(category == k) & np.isfinite(values)]
        if len(held):
            name = str(classes[k]) if k < len(classes) else f"class {k}"
            quantiles = zip(QUANTILES, np.quantile(held, list(QUANTILES.values())), strict=True)
            found.append({"class": name, "n": len(held), **{key: float(value) for key, value in quantiles}})
    return found


def class_order(found: Sequence[Record]) -> Rows:
    """By median, lowest first; of very many classes those at both ends."""
    rows = sorted(found, key=lambda r: r["median"])
    if len(rows) <= MOST_CLASSES:
        return Rows(rows)
    half = MOST_CLASSES // 2
    return Rows([*rows[:half], *rows[-half:]], f" The {half} lowest and the {half} highest of {len(rows)} classes.")


def draw_quantiles(width: float, rows: Sequence[Record], label: str) -> Figure:
    """One pair of axes with a row a class."""
    names = [f"{shortened(r['class'], 16)}  {count(r['n'])}" for r in rows]
    figure = canvas(width, 0.65 + 0.24 * max(len(rows), 1))
    axes = placed(figure, left=min(label_room(names), 0.5 * width), right=0.15)
    quantile_rows(axes, rows, names)
    axes.set_xlabel(label)
    return figure


def quantile_rows(axes: Axes, rows: Sequence[Record], names: Sequence[str]) -> None:
    """Draw the rows: thin line 10 to 90 %, thick line 25 to 75 %, dot at the median."""
    for row, held in enumerate(rows):
        axes.plot([held["q10"], held["q90"]], [row, row], color=MUTED, lw=0.9, solid_capstyle="butt")
        axes.plot([held["q25"], held["q75"]], [row, row], color=COLOURS[0], lw=4, alpha=0.55, solid_capstyle="butt")
        axes.plot([held["median"]], [row], "o", ms=4.5, color=COLOURS[0], mew=0)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
