"""Calibration against votes: how many people agree with a model, by how sure it is, a panel a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from affekt.humans.agreement import Calibration
from affekt.humans.comparison.parts import Part
from affekt.report import Chart, Table
from affekt.report.drawing import COLOURS, MUTED, outer_labels, panels
from affekt.report.numbers import counted, number, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure


def calibration(part: Part) -> Chart | None:
    held = part.calibrations
    if held is None:
        return None
    errors = {name: number(one.error.value, 3) for name, one in held.items()}
    return Chart(
        name=f"{part.id}-reliability",
        title="Calibration",
        caption="Share of people who choose a model's likeliest category, by its probability for it, in bins of "
        f"equal numbers of stimuli; {counted(part.stimuli, 'stimulus', 'stimuli')}. Dashed: as sure as people agree. "
        "Error: mean gap; bias: what a calibrated model of the same probabilities would get. An error near its bias "
        "says nothing against a model.",
        alt="Reliability diagrams. " + "; ".join(f"{name}: error {error}" for name, error in errors.items()),
        draw=lambda width: _draw(width, held),
        table=Table(name=f"{part.id}-reliability", caption="Every bin.", records=_records(held)),
    )


def _records(held: Mapping[str, Calibration]) -> list[dict[str, object]]:
    return [
        {"model": name, "confidence": float(c), "share": float(s), "stimuli": int(n)}
        for name, one in held.items()
        for c, s, n in zip(one.confidence, one.share, one.sizes, strict=True)
    ]


def _draw(width: float, held: Mapping[str, Calibration]) -> Figure:
    figure, every = panels(len(held), width, height=1.3)
    for axes, (name, one) in zip(every, held.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        axes.plot(one.confidence, one.share, color=COLOURS[0], marker="o", ms=2.5, lw=1.2)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_xticklabels(["0", ".5", "1"])
        axes.set_yticklabels(["0", ".5", "1"])
        axes.set_title(shortened(name, 24), fontsize=8.5)
        words = f"error {number(one.error.value, 3)}\nbias {number(one.bias, 3)}"
        axes.text(0.97, 0.06, words, ha="right", va="bottom", fontsize=7.5, color=MUTED)
        axes.grid()
    outer_labels(figure, x="model's probability", y="share of people")
    return figure
