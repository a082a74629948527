"""The affect state by class: what the pictures of each class make the emotional encoder say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.report.drawing import NARROW, Chart, canvas, label_room
from affekt.report.numbers import count, counted, number, shortened
from affekt.report.table import Record, Table
from affekt.study.report.charts.regulation import MOST_STATES
from affekt.study.report.charts.rows import by_class, class_order, quantile_rows
from affekt.study.report.gathering import Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def affect_by_class(shown: Shown, classes: Sequence[str], names: Sequence[str]) -> Chart | None:
    """A panel a number of the state, a row a class; rows in the order of the first number's medians.

    None where no third network looks on: there is no affect state then.
    """
    columns = range(shown.affect.shape[1])
    if not columns:
        return None
    found = {k: by_class(shown.affect[:, k], shown.category, classes) for k in columns}
    rows = class_order(found[0])
    order = [record["class"] for record in rows.shown]
    first = list(columns)[:MOST_STATES]
    held = {k: {record["class"]: record for record in found[k]} for k in first}
    sorted_ = [[held[k][name] for name in order if name in held[k]] for k in first]
    return Chart(
        name="affect-by-class",
        title="",
        caption=f"What the emotional encoder says of the test items of each class ({shown.condition}, "
        f"{counted(len(shown.seeds), 'seed')}, {count(shown.n)} items a seed; n beside each name: items times seeds): "
        f"median, middle half and middle 80 %. Ratings in standard deviations of the affective training set."
        f"{rows.note}",
        alt="Affect state by class, medians of the first number: "
        + "; ".join(f"{r['class']} {number(r['median'])}" for r in rows.shown),
        draw=lambda width: _draw(width, sorted_, [names[k] for k in first]),
        table=Table(
            name="affect-by-class",
            caption="Quantiles of the affect state by class.",
            records=[{"state": names[k], **record} for k in columns for record in found[k]],
        ),
    )


def _draw(width: float, states: Sequence[Sequence[Record]], names: Sequence[str]) -> Figure:
    across = min(len(states), 3 if width > NARROW else 1)
    down = -(-len(states) // across)
    labels = [f"{shortened(r['class'], 16)}  {count(r['n'])}" for r in states[0]]
    left, gap, head, foot = min(label_room(labels), 0.5 * width), 0.25, 0.3, 0.35
    height = 0.22 * max(len(labels), 2)
    inner = (width - left - 0.15 - (across - 1) * gap) / across
    figure = canvas(width, down * (head + height + foot))
    total = figure.get_size_inches()[1]
    for i, (rows, name) in enumerate(zip(states, names, strict=True)):
        row, column = divmod(i, across)
        y = total - (row + 1) * (head + height) - row * foot
        axes = figure.add_axes(((left + column * (inner + gap)) / width, y / total, inner / width, height / total))
        axes.patch.set_visible(False)
        quantile_rows(axes, rows, labels)
        axes.set_title(shortened(name, 24))
        axes.tick_params(labelleft=column == 0)
    return figure
