"""One measure: every model as a row with its interval, people's line on top and down the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from affekt.humans.comparison.measures import Line, Measure
from affekt.humans.comparison.parts import Part
from affekt.report import Chart, Table
from affekt.report.drawing import COLOURS, INK, MUTED, NARROW, canvas, label_room, named_rows, placed
from affekt.report.numbers import counted, interval, number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.27
UNDEFINED = "undefined"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the figure; ``value`` is None where it is undefined."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    people: bool = False


def measure_chart(part: Part, measure: Measure) -> Chart:
    """Half a column wide: two stand side by side."""
    rows = rows_of(measure)
    return Chart(
        name=f"{part.id}-{measure.name}",
        title=_capital(measure.title),
        caption=caption(part, measure),
        alt=f"Dot plot of {measure.title}. " + "; ".join(f"{r.name}: {number(r.value)}" for r in rows),
        draw=lambda width: _draw(width, rows, measure),
        table=Table(name=f"{part.id}-{measure.name}", caption=measure.about, records=records(measure)),
        widths=(NARROW,),
    )


def rows_of(measure: Measure) -> list[Row]:
    """People's line first, where there is one, then the models."""
    line = measure.people
    top = [] if line is None else [Row(name="people", value=line.value, low=line.low, high=line.high, people=True)]
    models = []
    for name, found in measure.models.items():
        low, high = measure.interval(name) or (None, None)
        models.append(Row(name=name, value=found.value, low=low, high=high))
    return [*top, *models]


def caption(part: Part, measure: Measure) -> str:
    """What is shown, with n; what people's line is, or why there is none."""
    words, line = [f"{_capital(measure.about)}."], measure.people
    if any(measure.interval(name) for name in measure.models):
        people = " and people" if line is not None and line.bounds else ""
        words.append(f"Dot and line: value and 95 % interval over {units(part)}{people}.")
    if line is not None and line.value is None and line.reason not in measure.about:
        words.append(f"No line of people: {line.reason}.")
    elif line is not None and line.value is not None:
        words.append(f"Diamond and dashes: {line.said}.")
    return " ".join(words)


def units(part: Part) -> str:
    """``300 stimuli``, with the groups that are drawn as a whole."""
    stimuli = counted(part.stimuli, "stimulus", "stimuli")
    return stimuli if part.units == part.stimuli else f"{stimuli} in {counted(part.units, 'group')}"


def records(measure: Measure) -> list[dict[str, object]]:
    """A record of people and one of each model, for CSV."""
    line = measure.people
    said = "" if line is None else line.reason or line.said
    reasons = {name: found.reason for name, found in measure.models.items()}
    found: list[dict[str, object]] = []
    for row in rows_of(measure):
        note = said if row.people else reasons[row.name]
        found.append({"observer": row.name, "value": row.value, "low": row.low, "high": row.high, "note": note})
    return found  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _draw(width: float, rows: Sequence[Row], measure: Measure) -> Figure:
    names = [shortened(row.name, 20) for row in rows]
    figure = canvas(width, 0.55 + ROW * len(rows))
    axes = placed(figure, left=min(label_room(names), 0.42 * width), right=0.65, bottom=0.36)
    line = next((row.value for row in rows if row.people), None)
    at = 0.0 if line is None and measure.best == "zero" else line
    if at is not None:
        axes.axvline(at, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0)
    for place, row in enumerate(rows):
        _row(axes, place, row)
    named_rows(axes, names)
    if all(row.value is None for row in rows):  # numbers along an axis without a value would be matplotlib's own
        axes.set_xticks([])
    return figure


def _row(axes: Axes, place: int, row: Row) -> None:
    side = axes.get_yaxis_transform()
    if row.value is None:
        axes.text(1.02, place, "–" if row.people else UNDEFINED, transform=side, va="center", fontsize=8, color=MUTED)
        return
    colour = INK if row.people else COLOURS[0]
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [place, place], color=colour, lw=1.6, solid_capstyle="butt")
    axes.plot([row.value], [place], "D" if row.people else "o", ms=5, color=colour, mew=0)
    axes.text(1.02, place, in_full(row.value), transform=side, va="center", fontsize=8, color=MUTED)


def in_words(row: Row) -> str:
    """``0.57 [0.40, 0.70]``."""
    known = interval(row.low, row.high)
    return in_full(row.value) if row.low is None else f"{in_full(row.value)} {known}"


def line_in_words(line: Line | None) -> str:
    """People's line: ``0.57``, the two bounds of a ceiling as ``0.48 to 0.57``; empty where there is none."""
    if line is None or line.value is None:
        return ""
    return f"{in_full(line.low)} to {in_full(line.high)}" if line.bounds else in_full(line.value)


def in_full(value: float | None) -> str:
    """Two digits, three where two would make a whole number of what is none: 0.996 is not 1.00. A count has none."""
    if isinstance(value, int):
        return f"{value:,}"
    close = value is not None and value != round(value) and abs(value - round(value)) < 0.005
    return number(value, 3 if close else 2)
