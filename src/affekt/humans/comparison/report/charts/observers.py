"""People and models in one figure: a colour each, people in ink, and a legend above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affekt.report.drawing import COLOURS, INK
from affekt.report.numbers import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def colour_of(place: int) -> str:
    """People are first."""
    return INK if place == 0 else COLOURS[(place - 1) % len(COLOURS)]


def legend(figure: Figure, observers: Sequence[str], *, columns: int) -> None:
    """One entry an observer, along the upper edge."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour_of(i), marker="o" if i else "D", ms=4.5, ls="none") for i in range(len(observers))
    ]
    figure.legend(
        handles, [shortened(name, 30) for name in observers], loc="upper left", ncols=columns, fontsize=8, borderpad=0,
        handletextpad=0.3, labelspacing=0.25,
    )  # fmt: skip
