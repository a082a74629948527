"""Cost: parameters, FLOPs and seconds against accuracy - is it the method, or what was spent on it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.study.figures import COLOURS
from affekt.study.report.drawing import INK, MUTED, NARROW, Chart, canvas
from affekt.study.report.numbers import known, short_count, shortened
from affekt.study.report.study_tables import Comparison, Record, conditions_table, items
from affekt.study.report.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS = (
    ("parameters", "parameters in all"),
    ("flops", "FLOPs of training and pre-training"),
    ("seconds", "seconds a run"),
)


def cost(comparison: Comparison) -> Chart | None:
    """None where no condition has both an accuracy and a cost."""
    records = [_record(r) for r in conditions_table(comparison).records if known(r["accuracy"])]
    if not any(known(record[key]) for record in records for key, _ in COSTS):
        return None
    there = [(key, words) for key, words in COSTS if any(known(record[key]) for record in records)]
    absent = [words for key, words in COSTS if (key, words) not in there]
    return Chart(
        name="cost",
        title="What it costs",
        caption=f"Mean test accuracy against cost, a point a condition ({len(records)} conditions, n of seeds in the "
        f"table), {items(comparison)}. Named: those that no cheaper one beats, and the method. Seconds depend on the "
        "machine and on what else it did." + "".join(f" Not known: {words}." for words in absent),
        alt="Accuracy against cost. "
        + "; ".join(f"{r['condition']}: {short_count(r['parameters'])} parameters" for r in records),
        draw=lambda width: _draw(width, records, there, str(comparison.get("method"))),
        table=Table(name="cost", caption="Accuracy and cost of each condition.", records=records),
    )


def _record(held: Record) -> Record:
    seconds = [value for value in held["seconds"] if known(value)]
    return {
        "condition": held["condition"],
        "seeds": len(held["seeds"]),
        "accuracy": held["accuracy"],
        "parameters_trainable": held["parameters_trainable"],
        "parameters": held["parameters_total"],
        "flops": held["flops"],
        "seconds": sum(seconds) / len(seconds) if seconds else None,
    }


def _draw(width: float, records: Sequence[Record], costs: Sequence[tuple[str, str]], method: str) -> Figure:
    across = len(costs) if width > NARROW else 1
    down = len(costs) // across
    left, right, gap, height, foot = 0.55, 0.15, 0.3, 1.9, 0.55
    inner = (width - left - right - (across - 1) * gap) / across
    figure = canvas(width, 0.15 + down * (height + foot))
    total = figure.get_size_inches()[1]
    for i, (key, words) in enumerate(costs):
        row, column = divmod(i, across)
        x, y = left + column * (inner + gap), total - 0.15 - height - row * (height + foot)
        axes = figure.add_axes((x / width, y / total, inner / width, height / total))
        axes.patch.set_visible(False)
        _panel(axes, [r for r in records if known(r[key]) and r[key] > 0], key, method)
        axes.set_xlabel(words)
        axes.tick_params(labelleft=column == 0)
        if column == 0:
            axes.set_ylabel("test accuracy, %")
    return figure


def _panel(axes: Axes, records: Sequence[Record], key: str, method: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for record in records:
        mine = record["condition"] == method
        axes.plot(record[key], record["accuracy"], "o", ms=6, color=COLOURS[0] if mine else INK, mew=0, alpha=0.8)
    axes.set_xscale("log")
    values = [record[key] for record in records] or [1]
    decades = max(values) / min(values) > 30
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades else (1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    axes.margins(0.12, 0.14)
    axes.grid()
    _name(axes, records, key, method)


def efficient(records: Sequence[Record], key: str) -> list[str]:
    """Conditions that no cheaper or equally cheap one beats, cheapest first."""
    found, best = [], float("-inf")
    for record in sorted(records, key=lambda r: (r[key], -r["accuracy"])):
        if record["accuracy"] > best:
            found.append(record["condition"])
            best = record["accuracy"]
    return found


def _name(axes: Axes, records: Sequence[Record], key: str, method: str) -> None:
    """Names beside the points that matter; one that would lie on another name is left to the table."""
    figure = axes.get_figure()
    assert figure is not None
    box = axes.get_position()
    size = figure.get_size_inches() * (box.width, box.height)
    front = efficient(records, key)
    named = [method, *(name for name in reversed(front) if name != method)]
    held = {record["condition"]: record for record in records}
    taken: list[tuple[float, float, float, float]] = []
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    axes.get_xlim(), axes.get_ylim()  # settles the limits that the transform stands on
    for name in (n for n in named if n in held):
        x, y = to_axes((held[name][key], held[name]["accuracy"])) * size
        words, reach = shortened(name, 18), 0.068 * len(shortened(name, 18))
        # Nothing lies above and to the left of a point that no cheaper one beats: its name goes there if it fits.
        right = name not in front or x - 0.08 - reach < -0.1
        start = x + 0.08 if right else x - 0.08 - reach
        area = (start, y - 0.02, start + reach, y + 0.16)
        if any(area[0] < b[2] and b[0] < area[2] and area[1] < b[3] and b[1] < area[3] for b in taken):
            continue
        taken.append(area)
        axes.annotate(
            words,
            (held[name][key], held[name]["accuracy"]),
            xytext=(5 if right else -5, 1),
            textcoords="offset points",
            ha="left" if right else "right",
            fontsize=8,
            color=INK if name == method else MUTED,
        )
