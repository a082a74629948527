"""Every condition as a row: its mean with its interval, and every seed as a dot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, Chart, canvas, label_room, placed
from affekt.report.numbers import known, number, shortened
from affekt.report.table import Record, Table
from affekt.study.content import Comparison
from affekt.study.report.study_tables import conditions_table, items

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 0.3


def conditions(comparison: Comparison) -> Chart | None:
    """None where no condition has an accuracy."""
    records = [r for r in conditions_table(comparison).records if known(r["accuracy"])]
    if not records:
        return None
    each = [
        {"condition": r["condition"], "seed": seed, "accuracy": value}
        for r in records
        for seed, value in zip(r["seeds"], r["accuracy_each"], strict=False)
    ]
    means = [
        {"condition": r["condition"], "seed": "mean", **{k.removeprefix("accuracy_"): r[k] for k in _MEAN}}
        for r in records
    ]
    return Chart(
        name="conditions",
        title="",
        caption="Test accuracy in percent. Dot: the mean over seeds; line: its 95 % interval over seeds and items; "
        f"open circles below: every seed; n: seeds. All on {items(comparison)}. An interval of one condition says "
        "nothing of a difference; for that see the declared comparisons, which are paired.",
        alt="Dot plot. " + "; ".join(f"{r['condition']}: {number(r['accuracy'])} %" for r in records),
        draw=lambda width: _draw(width, records, str(comparison.get("method"))),
        table=Table(name="accuracy", caption="Every seed's test accuracy, percent.", records=[*means, *each]),
    )


_MEAN = ("accuracy", "accuracy_low", "accuracy_high")


def _draw(width: float, records: Sequence[Record], method: str) -> Figure:
    names = [shortened(r["condition"], 26 if width <= NARROW else 34) for r in records]
    room = min(label_room(names), width * 0.43)
    figure = canvas(width, 0.2 + 0.5 + ROW * len(records))
    right = {"n": 0.05} if width <= NARROW else {"n": 0.05, "mean": 0.45}
    margin = 0.4 if width <= NARROW else 1.05
    axes = placed(figure, left=room, right=margin, top=0.3)
    places = {title: 1 + (margin - inches) / (width - room - margin) for title, inches in right.items()}
    side = axes.get_yaxis_transform()
    for row, record in enumerate(records):
        colour = COLOURS[0] if record["condition"] == method else INK
        each = [value for value in record["accuracy_each"] if known(value)]
        axes.plot(each, [row + 0.24] * len(each), "o", ms=3.6, mfc="none", mec=MUTED, mew=0.7, ls="none")
        low, high = record["accuracy_low"], record["accuracy_high"]
        if known(low) and known(high):
            axes.plot([low, high], [row, row], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([record["accuracy"]], [row], "o", ms=6, color=colour, mew=0)
        columns = {"n": str(len(each)), "mean": number(record["accuracy"])}
        for title, place in places.items():
            axes.text(place, row, columns[title], transform=side, ha="right", va="center")
    for title, place in places.items():
        axes.text(place, -0.85, title, transform=side, ha="right", color=MUTED)
    axes.set(ylim=(len(records) - 0.4, -0.6), xlabel="test accuracy, %")
    axes.set_yticks(range(len(records)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", lw=0.4)
    axes.grid(axis="x")
    return figure
