"""Cost: parameters, FLOPs and seconds against accuracy - is it the method, or what was spent on it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, Chart, canvas
from affekt.report.numbers import known, short_count, shortened
from affekt.report.table import Record, Table
from affekt.study.content import Comparison
from affekt.study.report.study_tables import conditions_table, items

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
        f"table), {items(comparison)}. Named: those that no cheaper one beats, where there is room, "
        "and (blue) the method. Seconds "
        "depend on the machine and on what else it did." + "".join(f" Not known: {words}." for words in absent),
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
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    for record in records:
        mine = record["condition"] == method
        axes.plot(record[key], record["accuracy"], "o", ms=6, color=COLOURS[0] if mine else INK, mew=0, alpha=0.8)
    axes.set_xscale("log")
    values = [record[key] for record in records] or [1]
    ratio = max(values) / min(values)
    steps = (1.0,) if ratio > 30 else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=steps) if ratio > 5 else MaxNLocator(4))
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


Box = tuple[float, float, float, float]


def _name(axes: Axes, records: Sequence[Record], key: str, method: str) -> None:
    """Names beside the points that matter; one that finds no free place is left to the table."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    size = figure.get_size_inches() * (box.width, box.height)
    axes.get_xlim(), axes.get_ylim()  # settles the limits that the transform stands on
    to_axes = axes.transData + axes.transAxes.inverted()
    points = {r["condition"]: to_axes.transform((r[key], r["accuracy"])) * size for r in records}
    front = efficient(records, key)
    taken: list[Box] = [(x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in points.values()]
    for name in [method] * (method in points) + [name for name in reversed(front) if name != method]:
        words = shortened(name, 18)
        # Nothing lies above and to the left of a point that no cheaper one beats: its name goes there if it fits.
        for right in (False, True) if name in front else (True, False):
            area = _beside(*points[name], reach=0.068 * len(words), right=right)
            free = name == method or not any(_overlap(area, other) for other in taken)
            if area[0] >= -0.1 and area[2] <= size[0] + 0.15 and free:
                taken.append(area)
                _write(axes, words, record=next(r for r in records if r["condition"] == name), key=key, right=right)
                break


def _beside(x: float, y: float, *, reach: float, right: bool) -> Box:
    """Room of a name beside a point, in inches: left, bottom, right, top."""
    start = x + 0.07 if right else x - 0.07 - reach
    return start, y + 0.01, start + reach, y + 0.13


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _write(axes: Axes, words: str, *, record: Record, key: str, right: bool) -> None:
    axes.annotate(
        words,
        (record[key], record["accuracy"]),
        xytext=(5 if right else -5, 2),
        textcoords="offset points",
        ha="left" if right else "right",
        fontsize=8,
        color=MUTED,
    )
