"""Each stimulus as a point: people's number across, the model's upwards, a panel a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.humans.comparison.parts import Part, Scatter
from affekt.humans.comparison.report.charts.measures import units
from affekt.randomness import generator
from affekt.report import Chart, Table
from affekt.report.drawing import COLOURS, MUTED, outer_labels, panels
from affekt.report.numbers import number, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 300
"""Points of a panel: more would hide each other, and weigh 100 bytes each in the page."""


def scatter(part: Part) -> Chart | None:
    held = part.scatter
    if held is None:
        return None
    shown = _shown(len(held.people))
    fewer = f" {len(shown)} of them, drawn at random, are shown." if len(shown) < len(held.people) else ""
    r = part.measures[0]
    diagonal = " Dashed: the same number." if held.units else ""
    return Chart(
        name=f"{part.id}-stimuli",
        title="",
        caption=f"Every stimulus as a point: people's {held.what} and the model's; {units(part)}.{fewer}{diagonal}",
        alt=f"Scatter plots of people's and models' {held.what}. "
        + "; ".join(f"{name}: r {number(e.value)}" for name, e in r.models.items()),
        draw=lambda width: _draw(width, held, shown),
        table=Table(name=f"{part.id}-stimuli", caption="Every stimulus.", records=_records(held)),
    )


def _shown(stimuli: int) -> NDArray[np.int64]:
    if stimuli <= MOST:
        return np.arange(stimuli)
    return np.asarray(np.sort(generator("scatter", 0).permutation(stimuli)[:MOST]))


def _records(held: Scatter) -> list[dict[str, object]]:
    columns = {"people": held.people, **{f"model {name}": values for name, values in held.models.items()}}
    return [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]


def _draw(width: float, held: Scatter, shown: NDArray[np.int64]) -> Figure:
    figure, every = panels(len(held.models), width, height=1.5, every_y=True, gap=(0.42, 0.42))
    for axes, (name, values) in zip(every, held.models.items(), strict=True):
        if name in held.units and held.scale is not None:
            ends = (held.scale.low, held.scale.high)
            axes.plot(ends, ends, color=MUTED, lw=0.8, ls=(0, (4, 3)))
        axes.plot(held.people[shown], values[shown], "o", ms=2.4, mew=0, alpha=0.5, color=COLOURS[0])
        axes.set_title(shortened(name, 24), fontsize=8.5)
        axes.locator_params(nbins=4)
        axes.grid()
    outer_labels(figure, x=f"people's {held.what}", y="model")
    return figure
