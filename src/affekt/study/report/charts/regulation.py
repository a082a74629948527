"""The regulation weight r: its histogram in every regulated condition, by class, and against the affect state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, WIDE, Chart, outer_labels, panels
from affekt.report.numbers import count, counted, number, share, shortened
from affekt.report.table import Table
from affekt.study.content import Comparison
from affekt.study.report.charts.rows import by_class, class_order, draw_quantiles
from affekt.study.report.gathering import Shown
from affekt.study.report.predictions import BINS, Reduced
from affekt.study.report.study_tables import items

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

CELLS = 30
"""Of the 2-D histograms, along each side."""

SHADES = 8
"""Of their cells: steps in which the square root of a cell's count is shown."""

MOST_STATES = 12
"""Panels of the affect state; a state of more numbers shows these, and the file of numbers holds all."""


def histograms(comparison: Comparison, regulated: Mapping[str, Sequence[Reduced]]) -> Chart | None:
    """None without a regulated run."""
    if not regulated:
        return None
    shares = {name: _shares(runs) for name, runs in regulated.items()}
    said = {str(c.get("name")): c.get("regulation") or {} for c in comparison.get("conditions") or ()}
    edges = np.linspace(0, 1, BINS + 1)
    records = [
        {"condition": name, "from": float(a), "to": float(b), "share": float(value), "seeds": len(regulated[name])}
        for name, values in shares.items()
        for a, b, value in zip(edges[:-1], edges[1:], values, strict=True)
    ]
    return Chart(
        name="regulation-histogram",
        title="How large r is",
        caption=f"Share of the test items by their regulation weight r, pooled over seeds (n beside each name; "
        f"{items(comparison)} a seed). 0: the non-emotional branch alone; 1: the emotionally influenced one alone. "
        "Saturated: below .05 or above .95.",
        alt="Histograms of r. " + "; ".join(f"{n}: mean {number(said.get(n, {}).get('mean'))}" for n in regulated),
        draw=lambda width: _draw_histograms(width, shares, said, regulated),
        table=Table(name="regulation-histogram", caption="Share of items by r.", records=records),
    )


def _shares(runs: Sequence[Reduced]) -> Floats:
    total = np.sum([run.regulated.histogram for run in runs if run.regulated], axis=0)
    return np.asarray(total / max(total.sum(), 1))


def _draw_histograms(
    width: float, shares: Mapping[str, Floats], said: Mapping[str, Mapping[str, Any]], runs: Mapping[str, Sequence[Any]]
) -> Figure:
    figure, every = panels(len(shares), width, height=0.85)
    edges = np.linspace(0, 1, BINS + 1)
    for axes, (name, values) in zip(every, shares.items(), strict=True):
        axes.stairs(100 * values, edges, fill=True, color=COLOURS[0], alpha=0.8, lw=0)
        held = said.get(name, {})
        if "mean" in held:
            words = f"mean {number(held['mean'])}, SD {number(held.get('sd'), 3)}\n{_saturated(held)}"
            left = values[: BINS // 2].sum() < 0.5
            axes.text(0.03 if left else 0.97, 0.95, words, transform=axes.transAxes, va="top", fontsize=7.5,
                      ha="left" if left else "right", color=MUTED)  # fmt: skip
        axes.set(xlim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["0", ".5", "1"])
        axes.set_ylim(0, 100 * max(float(values.max()), 0.01) * 1.75)
        axes.yaxis.set_tick_params(labelleft=False, length=0)
        axes.set_title(f"{shortened(name, 22)}  n = {len(runs[name])}", fontsize=8.5)
    outer_labels(figure, x="r", y="share of items")
    return figure


def _saturated(held: Mapping[str, Any]) -> str:
    return f"{share(held.get('saturated'))} saturated"


def regulation_by_class(shown: Shown, classes: Sequence[str]) -> Chart:
    """r of the shown condition's items, a row a class."""
    found = by_class(shown.regulation, shown.category, classes)
    rows = class_order(found)
    words = f"{shown.condition}, {counted(len(shown.seeds), 'seed')}, {count(shown.n)} items a seed"
    return Chart(
        name="regulation-by-class",
        title="r by class",
        caption=f"Regulation weight r of the test items of each class ({words}): median, middle half (thick) and "
        f"middle 80 % (thin); n beside each name: items times seeds.{rows.note}",
        alt="r by class, medians: " + "; ".join(f"{r['class']} {number(r['median'])}" for r in rows.shown),
        draw=lambda width: draw_quantiles(width, rows.shown, "r"),
        table=Table(name="regulation-by-class", caption="Quantiles of r by class.", records=found),
        widths=(NARROW,),
    )


def regulation_against_affect(shown: Shown, names: Sequence[str], spearman: Mapping[str, Any]) -> Chart | None:
    """r against each number of the affect state, as 2-D histograms; None where there is no state."""
    columns = shown.affect.shape[1]
    if not columns:
        return None
    tables = [_cells(shown.affect[:, k], shown.regulation) for k in range(columns)]
    records = [
        {"state": names[k], "from": a, "to": b, "r_from": c, "r_to": d, "items": n}
        for k in range(columns)
        for a, b, c, d, n in tables[k]
    ]
    panels_ = min(columns, MOST_STATES)
    return Chart(
        name="regulation-against-affect",
        title="r against the affect state",
        caption=f"Items by r and by each number of the affect state ({shown.condition}, "
        f"{counted(len(shown.seeds), 'seed')}, {count(shown.n)} items a seed; darker: more). rho: Spearman's rank "
        "correlation, mean over seeds. r is computed from this state: that they go together is how the method is "
        "built, and no finding." + (f" The first {panels_} of {columns} numbers." if panels_ < columns else ""),
        alt="2-D histograms of r. " + "; ".join(f"{n}: rho {number(spearman.get(n))}" for n in names[:panels_]),
        draw=lambda width: _draw_cells(width, tables[:panels_], names, spearman),
        table=Table(name="regulation-against-affect", caption="Items by affect state and r.", records=records),
        widths=(NARROW,) if columns <= 2 else (WIDE, NARROW),
    )


Cell = tuple[float, float, float, float, int]


def _cells(state: Floats, regulation: Floats) -> list[Cell]:
    """Cells that hold items: both ends of the state and of r, and the items."""
    finite = np.isfinite(state) & np.isfinite(regulation)
    if not finite.any():
        return []
    counts, x, y = np.histogram2d(state[finite], regulation[finite], bins=CELLS)
    x, y = x.round(5), y.round(5)
    return [
        (float(x[i]), float(x[i + 1]), float(y[j]), float(y[j + 1]), int(counts[i, j]))
        for i, j in zip(*np.nonzero(counts), strict=True)
    ]


def _draw_cells(
    width: float, tables: Sequence[Sequence[Cell]], names: Sequence[str], spearman: Mapping[str, Any]
) -> Figure:
    across = (min(len(tables), 4), min(len(tables), 2))
    figure, every = panels(len(tables), width, columns=across, height=1.7, gap=(0.22, 0.62), bottom=0.3)
    ends = [end for cells in tables for cell in cells for end in cell[2:4]] or [0.0, 1.0]
    room = 0.06 * (max(ends) - min(ends)) or 0.05
    for axes, cells, name in zip(every, tables, names, strict=False):
        _fill(axes, cells)
        axes.set_ylim(min(ends) - room, max(ends) + room)
        axes.set_title(f"{shortened(name, 14)}  rho {number(spearman.get(name))}", fontsize=8.5)
        axes.tick_params(labelbottom=True)
    outer_labels(figure, x="", y="r")
    return figure


def _fill(axes: Axes, cells: Sequence[Cell]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    most = max((cell[4] for cell in cells), default=1)
    shaded: dict[int, list[Any]] = {}
    for a, b, c, d, n in cells:
        shaded.setdefault(int(np.ceil(SHADES * (n / most) ** 0.5)), []).append([(a, c), (b, c), (b, d), (a, d)])
    # One path a shade: thousands of cells, each with its own, would be most of the page.
    for step, boxes in sorted(shaded.items()):
        path = Path.make_compound_path_from_polys(np.array(boxes))
        opacity = 0.15 + 0.85 * step / SHADES  # carries the count: it reads on a light and on a dark page
        axes.add_patch(PathPatch(path, facecolor=COLOURS[0], alpha=opacity, lw=0, antialiased=False))
    axes.autoscale_view()
    axes.grid(color=INK, alpha=0.08)
