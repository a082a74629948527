"""Attribution as a waterfall: each link starts where the one before it ended; a missing link leaves a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affekt.study.figures import COLOURS
from affekt.study.report.drawing import INK, MUTED, NARROW, RULE, Chart, canvas, label_room, placed
from affekt.study.report.numbers import interval, known, listed, shortened, signed
from affekt.study.report.study_tables import Comparison, attribution_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.52


def attribution(comparison: Comparison) -> Chart | None:
    """None where the study declared no chain, or none of its links is there."""
    held = comparison.get("attribution") or {}
    links = list(held.get("links") or ())
    if not any(known((link.get("difference") or {}).get("estimate")) for link in links):
        return None
    table = attribution_table(comparison)
    missing = [str(name) for name in held.get("missing") or ()]
    gaps = f" No finished run of {listed(missing)}: links that touch it are left open, not guessed." if missing else ""
    return Chart(
        name="attribution",
        title="",
        caption=f"{table.caption} Bars: a link; lines: its 95 % interval; percentage points of accuracy.{gaps}",
        alt="Waterfall. " + "; ".join(f"{r['second']}: {_value(r)}" for r in table.records),
        draw=lambda width: _draw(width, links, held.get("whole")),
        table=table,
    )


def _value(record: Mapping[str, Any]) -> str:
    return signed(record["estimate"]) if known(record["estimate"]) else "missing"


def _draw(width: float, links: Sequence[Mapping[str, Any]], whole: Mapping[str, Any] | None) -> Figure:
    names = [(shortened(str(link["second"])), str(link.get("adds") or "")) for link in links]
    names.append((f"{shortened(str(links[-1]['second']))}", f"minus {shortened(str(links[0]['first']))}"))
    room = min(label_room([word for pair in names for word in pair]), width * 0.43)
    figure = canvas(width, 0.1 + 0.5 + ROW * len(names))
    axes = placed(figure, left=room, right=0.15)
    ends = _bars(axes, [link.get("difference") for link in links], whole)
    axes.axvline(0, color=MUTED, lw=0.8)
    axes.set(ylim=(len(names) - 0.4, -0.6), yticks=[], xlabel="percentage points over " + shortened(links[0]["first"]))
    axes.spines["left"].set_visible(False)
    axes.axhline(len(links) - 0.5, color=RULE, lw=0.8)
    axes.grid(axis="x")
    side = axes.get_yaxis_transform()
    for row, (name, adds) in enumerate(names):
        words = axes.text(-0.03, row - 0.15, name, transform=side, ha="right", va="center", fontsize=9)
        words.set_in_layout(False)
        axes.text(-0.03, row + 0.2, adds, transform=side, ha="right", va="center", fontsize=7.5, color=MUTED)
    _numbers(axes, [link.get("difference") for link in links] + [whole], ends, on_one_line=width > NARROW)
    return figure


def _bars(
    axes: Axes, links: Sequence[Mapping[str, Any] | None], whole: Mapping[str, Any] | None
) -> list[tuple[float, float] | None]:
    """Draw each link from where the one before it ended; returns the left and right end of every row's marks.

    After a gap the running sum is not known any more, so later links start at 0 again.
    """
    at, ends, broken = 0.0, [], False
    for row, difference in enumerate([*links, whole]):
        last = row == len(links)
        if difference is None or not known(difference.get("estimate")):
            broken = True
            ends.append(None)
            continue
        start = 0.0 if last or broken else at
        step = difference["estimate"]
        colour = INK if last else COLOURS[0] if step >= 0 else COLOURS[1]
        axes.barh(row, step, left=start, height=0.5, color=colour, alpha=0.85, lw=0, hatch=None)
        low, high = difference.get("low"), difference.get("high")
        if known(low) and known(high):
            axes.plot([start + low, start + high], [row + 0.33] * 2, color=MUTED, lw=1.2, solid_capstyle="butt")
        at = start + step
        if not last and not broken and row + 1 < len(links):
            axes.plot([at, at], [row + 0.25, row + 0.75], color=MUTED, lw=0.7)
        reach = [start, at, *(start + end for end in (low, high) if known(end))]
        ends.append((min(reach), max(reach)))
    return ends


def _numbers(
    axes: Axes,
    differences: Sequence[Mapping[str, Any] | None],
    ends: Sequence[tuple[float, float] | None],
    *,
    on_one_line: bool,
) -> None:
    """The value at the right end of each row, above its marks' reach; "missing" where there is none."""
    edges = [edge for pair in ends if pair for edge in pair] + [0.0]
    span = max(edges) - min(edges) or 1.0
    axes.set_xlim(min(edges) - 0.05 * span, max(edges) + (0.5 if on_one_line else 0.75) * span)
    for row, (difference, end) in enumerate(zip(differences, ends, strict=True)):
        if difference is None or end is None:
            axes.text(0.03 * span, row, "missing", va="center", fontsize=8.5, color=MUTED, style="italic")
            continue
        reach = interval(difference.get("low"), difference.get("high"), sign=True)
        at = end[1] + 0.03 * span
        if on_one_line:
            axes.text(at, row, f"{signed(difference['estimate'])} {reach}", va="center", fontsize=8.5)
            continue
        axes.text(at, row - 0.16, signed(difference["estimate"]), va="center", fontsize=8.5)
        axes.text(at, row + 0.2, reach, va="center", fontsize=7.5, color=MUTED)
