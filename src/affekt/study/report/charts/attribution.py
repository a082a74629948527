"""Attribution as a waterfall: each link starts where the one before it ended; a missing link leaves a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, RULE, Chart, canvas, label_room, placed
from affekt.report.numbers import interval, known, listed, shortened, signed
from affekt.study.content import Comparison
from affekt.study.report.study_tables import attribution_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.52


def attribution(comparison: Comparison) -> Chart | None:
    """None where the study declared no chain, or neither a link nor the whole of it is there."""
    held = comparison.get("attribution") or {}
    links = list(held.get("links") or ())
    differences = [held.get("whole"), *(link.get("difference") for link in links)]
    if not links or all(_estimate(difference) is None for difference in differences):
        return None
    table = attribution_table(comparison)
    missing = [str(name) for name in held.get("missing") or ()]
    gaps = (
        f" No finished run of {listed(missing)}: links that touch it are left open, not guessed; a link that neither "
        "the start nor the whole difference places begins at 0."
        if missing
        else ""
    )
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


Span = tuple[float, float]


def levels(steps: Sequence[float | None], whole: float | None) -> list[Span | None]:
    """Where each link starts and ends, in points over the first condition; None for a missing link.

    Links before a gap follow from the start, links behind it from the end, which the whole difference gives: links sum
    to it exactly. A link that neither reaches is drawn from 0.
    """
    found: list[Span | None] = [None if step is None else (0.0, step) for step in steps]
    at = 0.0
    for row, step in enumerate(steps):
        if step is None:
            break
        found[row] = (at, at + step)
        at += step
    if whole is None or None not in steps:
        return found
    at = whole
    for row in range(len(steps) - 1, -1, -1):
        step = steps[row]
        if step is None:
            break
        found[row] = (at - step, at)
        at -= step
    return found


def _estimate(difference: Mapping[str, Any] | None) -> float | None:
    value = (difference or {}).get("estimate")
    return float(value) if known(value) else None


def _bars(axes: Axes, links: Sequence[Mapping[str, Any] | None], whole: Mapping[str, Any] | None) -> list[Span | None]:
    """Draw each row's bar with its interval; returns the left and right end of its marks, None for a gap."""
    total = _estimate(whole)
    spans = [*levels([_estimate(link) for link in links], total), None if total is None else (0.0, total)]
    ends: list[Span | None] = []
    for row, (difference, span) in enumerate(zip([*links, whole], spans, strict=True)):
        if span is None or difference is None:
            ends.append(None)
            continue
        start, end = span
        colour = INK if row == len(links) else COLOURS[0] if end >= start else COLOURS[1]
        axes.barh(row, end - start, left=start, height=0.5, color=colour, alpha=0.85, lw=0)
        reach = [start + value for value in (difference.get("low"), difference.get("high")) if known(value)]
        axes.plot(reach, [row + 0.33] * len(reach), color=MUTED, lw=1.2, solid_capstyle="butt")
        behind = spans[row + 1] if row + 1 < len(links) else None
        if behind is not None:
            axes.plot([end, behind[0]], [row + 0.25, row + 0.75], color=MUTED, lw=0.7)
        ends.append((min(start, end, *reach), max(start, end, *reach)))
    return ends


def _numbers(
    axes: Axes,
    differences: Sequence[Mapping[str, Any] | None],
    ends: Sequence[Span | None],
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
