"""Average recall as a figure: a panel a task, a row a condition, its interval, and every seed as a dot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, Chart, canvas, label_room
from affekt.report.numbers import known, number, shortened
from affekt.report.table import Record, Table
from affekt.study.clips.report.naming import LEAKS, on_what
from affekt.study.clips.report.tables import conditions_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.28


def recall_chart(comparison: Mapping[str, Any]) -> Chart | None:
    """None where no condition has a finished run."""
    records = conditions_table(comparison).records
    if not records:
        return None
    tasks = list(dict.fromkeys(r["task"] for r in records))
    chance = {task: 100 / len(comparison["tasks"][task]["classes"]) for task in tasks}
    return Chart(
        name="recall",
        title="",
        caption=f"Unweighted average recall, percent, on {on_what(comparison)}. Dot: the mean over seeds; line: its "
        "95 % interval over seeds and speakers; open circles below: every seed; dashed: chance. Orange: a leaky "
        "split, no evidence. An interval of one condition says nothing of a difference; for that see the declared "
        "comparisons, which are paired.",
        alt="Dot plot. " + "; ".join(f"{r['task']}, {r['condition']}: {number(r['uar'], 1)} %" for r in records),
        draw=lambda width: _draw(width, {task: [r for r in records if r["task"] == task] for task in tasks}, chance),
        table=Table(name="uar", caption="Average recall of every condition, percent.", records=records),
    )


def _draw(width: float, panels: Mapping[str, Sequence[Record]], chance: Mapping[str, float]) -> Figure:
    top, gap, bottom, right = 0.3, 0.45, 0.5, 0.55
    names = [shortened(r["condition"], 24) for rows in panels.values() for r in rows]
    left = min(label_room(names), width * (0.43 if width <= NARROW else 0.3))
    heights = [ROW * len(rows) for rows in panels.values()]
    total = top + bottom + sum(heights) + gap * (len(heights) - 1)
    figure = canvas(width, total)
    y = total - top
    for number_, (task, rows) in enumerate(panels.items()):
        y -= heights[number_]
        box = (left / width, y / total, (width - left - right) / width, heights[number_] / total)
        axes = figure.add_axes(box)
        axes.patch.set_visible(False)
        _panel(axes, task, rows, chance[task], last=number_ == len(panels) - 1)
        y -= gap
    return figure


def _panel(axes: Axes, task: str, rows: Sequence[Record], chance: float, *, last: bool) -> None:
    side = axes.get_yaxis_transform()
    axes.axvline(chance, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    for row, record in enumerate(rows):
        colour = COLOURS[1] if str(record["condition"]).endswith(LEAKS) else INK
        each = [value for value in record["uar_each"] if known(value)]
        axes.plot(each, [row + 0.26] * len(each), "o", ms=3.4, mfc="none", mec=MUTED, mew=0.7, ls="none")
        if known(record["low"]) and known(record["high"]):
            axes.plot([record["low"], record["high"]], [row, row], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([record["uar"]], [row], "o", ms=5.5, color=colour, mew=0)
        axes.text(1.02, row, number(record["uar"], 1), transform=side, ha="left", va="center")
    axes.set(xlim=(0, 101), ylim=(len(rows) - 0.4, -0.6), title=task)
    axes.set_yticks(range(len(rows)), [shortened(str(r["condition"]), 24) for r in rows])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=last)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    if last:
        axes.set_xlabel("unweighted average recall, %")
