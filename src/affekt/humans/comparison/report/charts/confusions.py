"""Confusion matrices: what was right down, what was answered across, people first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from affekt.humans.agreement import Confusion
from affekt.humans.comparison.parts import PEOPLE, Part
from affekt.report import Chart, Table
from affekt.report.drawing import COLOURS, MUTED, label_room, outer_labels, panels
from affekt.report.numbers import counted, number, share, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 16
"""Categories beyond which cells cannot be told apart."""

LETTERS = 11


def confusions(part: Part) -> Chart | None:
    """None with more categories than can be read."""
    held = part.confusions
    if held is None or len(held.categories) > MOST:
        return None
    every = {PEOPLE: held.people, **held.models}
    return Chart(
        name=f"{part.id}-matrices",
        title="Confusion matrices",
        caption="Rows: the right category; columns: the answer; the darker a cell, the larger its share of the row. "
        f"{counted(part.stimuli, 'stimulus', 'stimuli')}. Rows without a stimulus are empty.",
        alt="Confusion matrices. " + "; ".join(f"{name}: {_diagonal(one)} right" for name, one in every.items()),
        draw=lambda width: _draw(width, every, held.categories),
        table=Table(name=f"{part.id}-matrices", caption="Every cell.", records=_records(every, held.categories)),
    )


def _diagonal(found: Confusion) -> str:
    return share(float(np.trace(found.counts) / found.counts.sum()))


def _records(every: Mapping[str, Confusion], categories: tuple[str, ...]) -> list[dict[str, object]]:
    return [
        {"observer": name, "right": right, "answer": answer, "count": float(one.counts[i, j])}
        for name, one in every.items()
        for i, right in enumerate(categories)
        for j, answer in enumerate(categories)
    ]


def _draw(width: float, every: Mapping[str, Confusion], categories: tuple[str, ...]) -> Figure:
    names = [shortened(name, LETTERS) for name in categories]
    room = label_room(names)
    figure, axes = panels(
        len(every), width, columns=(3, 2), height=1.5 if width > 5 else 1.2, left=room + 0.2, bottom=0.75 * room + 0.25
    )
    for one, (name, found) in zip(axes, every.items(), strict=True):
        _matrix(one, found)
        one.set_title(shortened(name, 22), fontsize=8.5)
        one.set_yticks(range(len(names)), names, fontsize=7.5)
        one.set_xticks(range(len(names)), names, rotation=90, fontsize=7.5)
        one.tick_params(length=0)
    outer_labels(figure, x="answer", y="right")
    return figure


def _matrix(axes: Axes, found: Confusion) -> None:
    from matplotlib.patches import Rectangle

    shares = np.nan_to_num(found.shares)
    k = len(shares)
    for i, j in np.ndindex(k, k):
        if shares[i, j] > 0.004:
            cell = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=COLOURS[0], alpha=float(shares[i, j]), lw=0)
            axes.add_patch(cell)
        if k <= 3:
            axes.text(j, i, number(shares[i, j]).removeprefix("0"), ha="center", va="center", fontsize=8)
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5))
    for side in axes.spines.values():
        side.set_visible(True)
        side.set_color(MUTED)
