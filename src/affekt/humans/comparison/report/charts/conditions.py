"""Accuracy and kappa in each condition, an observer a colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.humans.comparison.parts import PEOPLE, ByCondition, Part
from affekt.humans.comparison.report.charts.observers import colour_of, legend
from affekt.report import Chart, Table
from affekt.report.drawing import NARROW, canvas, label_room
from affekt.report.numbers import number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 40
ROW = 0.26


def conditions(part: Part) -> Chart | None:
    """None where there is one condition alone."""
    if not part.conditions:
        return None
    rows = part.conditions[:MOST]
    observers = [PEOPLE, *part.models]
    fewer = f" The first {MOST} of {len(part.conditions)} conditions." if len(rows) < len(part.conditions) else ""
    return Chart(
        name=f"{part.id}-conditions",
        title="By condition",
        caption="Accuracy, and error consistency (kappa) of a model with people and of people among themselves, in "
        f"each condition; its number of stimuli behind its name. A missing dot is an undefined number.{fewer}",
        alt="Dot plots by condition. "
        + "; ".join(f"{r.condition}: people {number(r.accuracy.get(PEOPLE, (None,))[0])}" for r in rows),
        draw=lambda width: _draw(width, rows, observers),
        table=Table(name=f"{part.id}-conditions", caption="Every number.", records=_records(part, observers)),
    )


_NONE = (None, None, None, "")


def _records(part: Part, observers: Sequence[str]) -> list[dict[str, object]]:
    return [
        {
            "condition": one.condition,
            "stimuli": one.stimuli,
            "observer": name,
            **{f"accuracy{s}": v for s, v in zip(_ENDS, one.accuracy.get(name, _NONE), strict=True)},
            **{f"kappa{s}": v for s, v in zip(_ENDS, one.kappa.get(name, _NONE), strict=True)},
        }
        for one in part.conditions
        for name in observers
    ]


_ENDS = ("", "_low", "_high", "_reason")


def _draw(width: float, rows: Sequence[ByCondition], observers: Sequence[str]) -> Figure:
    names = [f"{shortened(row.condition, 18)}  {row.stimuli}" for row in rows]
    room = min(label_room(names), 0.4 * width)
    top = 0.3 + 0.19 * len(observers) if width <= NARROW else 0.3 + 0.19 * -(-len(observers) // 3)
    height = ROW * len(rows)
    figure = canvas(width, top + height + 0.5)
    total = figure.get_size_inches()[1]
    each = (width - room - 0.1 - 0.25) / 2
    for column, key in enumerate(("accuracy", "kappa")):
        left = room + column * (each + 0.25)
        axes = figure.add_axes((left / width, 0.5 / total, each / width, height / total))
        axes.patch.set_visible(False)
        _column(axes, rows, observers, key)
        axes.set_yticks(range(len(rows)), names if column == 0 else [])
        axes.set_xlabel(key)
    legend(figure, observers, columns=1 if width <= NARROW else 3)
    return figure


def _column(axes: Axes, rows: Sequence[ByCondition], observers: Sequence[str], key: str) -> None:
    for place, name in enumerate(observers):
        found = [(getattr(row, key).get(name, _NONE)[0], y) for y, row in enumerate(rows)]
        there = [(x, y) for x, y in found if x is not None]
        if there:
            x, y = zip(*there, strict=True)
            axes.plot(x, y, "D" if name == PEOPLE else "o", ms=4.2, mew=0, color=colour_of(place), alpha=0.9)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.grid()
