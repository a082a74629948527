"""One pooled measure: a condition a row, its seeds as rings, their mean as a dot with its interval, people's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from affekt.report import Chart, Table
from affekt.report.drawing import COLOURS, MUTED, NARROW, canvas, label_room, named_rows, placed
from affekt.report.numbers import counted, number, shortened
from affekt.study.agreement.pooling import Pooled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 0.27


def pooled_chart(place: str, measure: Pooled, stimuli: int) -> Chart:
    """Half a column wide.

    Args:
        place: of the topic, for the name of its files.
        stimuli: n.
    """
    name = f"{place}-{measure.name}"
    values = "; ".join(f"{condition}: {number(one.value)}" for condition, one in measure.conditions.items())
    return Chart(
        name=name,
        title=measure.title[:1].upper() + measure.title[1:],
        caption=_caption(measure, stimuli),
        alt=f"Dot plot of {measure.title}. {values}",
        draw=lambda width: _draw(width, measure),
        table=Table(name=name, caption=measure.about, records=_records(measure)),
        widths=(NARROW,),
    )


def _caption(measure: Pooled, stimuli: int) -> str:
    words = [
        f"{measure.about[:1].upper()}{measure.about[1:]}.",
        f"Dot and line: mean over seeds and 95 % interval; rings: seeds. {counted(stimuli, 'stimulus', 'stimuli')}.",
    ]
    line = measure.people
    if line is not None:
        words.append(f"Dashes: {line.said}." if line.value is not None else f"No line of people: {line.reason}.")
    return " ".join(words)


def _records(measure: Pooled) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if measure.people is not None:
        line = measure.people
        found.append(
            {
                "condition": "people",
                "value": line.value,
                "low": line.low,
                "high": line.high,
                "seeds": "",
                "note": line.said,
            }
        )
    for name, one in measure.conditions.items():
        each = list(one.each.values())
        found.append(
            {"condition": name, "value": one.value, "low": one.low, "high": one.high, "seeds": each, "note": one.reason}
        )
    return found


def _draw(width: float, measure: Pooled) -> Figure:
    names = [shortened(name, 20) for name in measure.conditions]
    figure = canvas(width, 0.55 + ROW * len(names))
    axes = placed(figure, left=min(label_room(names), 0.42 * width), right=0.65, bottom=0.36)
    if measure.people is not None and measure.people.value is not None:
        axes.axvline(measure.people.value, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0)
    side = axes.get_yaxis_transform()
    for place, one in enumerate(measure.conditions.values()):
        each = [value for value in one.each.values() if value is not None]
        axes.plot(each, [place] * len(each), "o", ms=4, mfc="none", mec=MUTED, mew=0.8)
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [place, place], color=COLOURS[0], lw=1.6, solid_capstyle="butt")
        if one.value is not None:
            axes.plot([one.value], [place], "o", ms=5, color=COLOURS[0], mew=0)
        text = number(one.value) if one.value is not None else "undefined"
        axes.text(1.02, place, text, transform=side, va="center", fontsize=8, color=MUTED)
    named_rows(axes, names)
    return figure
