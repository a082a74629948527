"""Psychometric curves: right answers over the strength of a manipulation, a panel a manipulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from affekt.humans.comparison.curves import MORPH
from affekt.humans.comparison.parts import PEOPLE, Curve, Part
from affekt.humans.comparison.report.charts.observers import colour_of, legend
from affekt.report import Chart, Table
from affekt.report.drawing import NARROW, canvas
from affekt.report.numbers import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 1.7


def curves(part: Part) -> Chart | None:
    """None without a manipulation in three strengths."""
    if not part.curves:
        return None
    observers = [name for name in (PEOPLE, *part.models) if any(c.observer == name for c in part.curves)]
    names = list(dict.fromkeys(c.manipulation for c in part.curves))
    morph = " Of a morph: answers for the first face." if MORPH in names else ""
    return Chart(
        name=f"{part.id}-curves",
        title="Psychometric curves",
        caption="Share of right answers over the strength of a manipulation. Dots: the shares; lines: fitted curves; "
        f"dots joined by a dotted line: no curve could be fitted, the notes say why.{morph}",
        alt="Psychometric curves. " + "; ".join(_words(c) for c in part.curves),
        draw=lambda width: _draw(width, part.curves, names, observers),
        table=Table(name=f"{part.id}-curves", caption="Every level.", records=_records(part.curves)),
    )


def _words(curve: Curve) -> str:
    at = curve.fitted.threshold
    return f"{curve.observer}, {curve.manipulation}: " + ("no curve" if at is None else f"threshold {at.value:.3g}")


def _records(found: Sequence[Curve]) -> list[dict[str, object]]:
    return [
        {"manipulation": c.manipulation, "observer": c.observer}
        | {"strength": float(x), "share": float(y), "trials": int(n)}
        for c in found
        for x, y, n in zip(c.levels, c.shares, c.trials, strict=True)
    ]  # fmt: skip


def _draw(width: float, found: Sequence[Curve], names: Sequence[str], observers: Sequence[str]) -> Figure:
    columns = 1 if width <= NARROW else 3
    across = min(len(names), 1 if width <= NARROW else 2)
    down = -(-len(names) // across)
    top = 0.28 + 0.19 * -(-len(observers) // columns)
    gap, left, bottom = 0.62, 0.5, 0.45
    figure = canvas(width, top + down * HEIGHT + (down - 1) * gap + bottom)
    total = figure.get_size_inches()[1]
    each = (width - 0.12 - across * left) / across
    for place, name in enumerate(names):
        row, column = divmod(place, across)
        x, y = left + column * (each + left), total - top - HEIGHT - row * (HEIGHT + gap)
        axes = figure.add_axes((x / width, y / total, each / width, HEIGHT / total))
        axes.patch.set_visible(False)
        for curve in found:
            if curve.manipulation == name:
                _curve(axes, curve, colour_of(observers.index(curve.observer)))
        axes.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], xlabel=f"{shortened(name or 'strength', 26)}")
        axes.set_yticklabels(["0", ".5", "1"])
        axes.grid()
    legend(figure, observers, columns=columns)
    return figure


def _curve(axes: Axes, curve: Curve, colour: str) -> None:
    marker = "D" if curve.observer == PEOPLE else "o"
    axes.plot(curve.levels, curve.shares, marker, ms=4, mew=0, color=colour)
    if curve.fitted.converged:
        x = np.linspace(curve.levels.min(), curve.levels.max(), 80)
        axes.plot(x, curve.fitted.curve(x), color=colour, lw=1.4)
    else:
        axes.plot(curve.levels, curve.shares, color=colour, lw=0.9, ls=":")
