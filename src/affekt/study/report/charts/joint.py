"""Weights of the losses by step, and the cosine between the gradients of two tasks by epoch: a panel a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.report.drawing import COLOURS, MUTED, Chart, outer_labels, panels
from affekt.report.numbers import number, share, shortened
from affekt.report.table import Record, Table
from affekt.study.report.charts.curves import spread
from affekt.study.report.joint import Joint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 200
"""Of a line; steps between two of them are averaged."""

LOW = 0.05
"""The share that a run warns of."""

Lines = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]
"""Name -> x, and over the seeds: mean, lowest, highest."""


def weights_over_time(joints: Sequence[Joint], *, over: str = "seeds") -> Chart | None:
    """None where the weights of no condition change. ``over``: what there is one entry each of."""
    found = {joint.condition: _shares(joint) for joint in joints if _change(joint)}
    if not found:
        return None
    records = _records(found, ("task", "step", "share"))
    return Chart(
        name="weights",
        title="Weights of the losses",
        caption=f"Each task's share of the weight by step, in conditions whose weights change: mean over {over}, band "
        f"from the lowest to the highest, steps averaged in {POINTS} groups. Under the line at {LOW:g} a task is "
        "hardly learned. Every step's weights stand in the run's log.",
        alt="Shares at the end: "
        + "; ".join(
            f"{name}: " + ", ".join(f"{task} {share(columns[1][-1])}" for task, columns in lines.items())
            for name, lines in found.items()
        ),
        draw=lambda width: _draw(width, found, x="step", y="share of the weight", span=(-0.02, 1.02), level=LOW),
        table=Table(name="weights", caption="Share of each task's weight by step.", records=records),
    )


def _records(found: Mapping[str, Lines], columns: tuple[str, str, str]) -> list[Record]:
    """The lines of each condition as rows; ``columns`` name the line, its x and its mean."""
    names = ("condition", *columns, "lowest", "highest")
    return [
        dict(zip(names, (name, line, *map(float, row)), strict=True))
        for name, lines in found.items()
        for line, values in lines.items()
        for row in zip(*values, strict=True)
    ]


def _change(joint: Joint) -> bool:
    return any((weights != weights[0]).any() for _, _, weights in joint.weights.values())


def _shares(joint: Joint) -> Lines:
    """Over the steps that all seeds have."""
    tasks = next(iter(joint.weights.values()))[0]
    last = min(len(steps) for _, steps, _ in joint.weights.values())
    steps = next(iter(joint.weights.values()))[1][:last]
    groups = np.array_split(np.arange(last), min(POINTS, last))
    shares = np.stack([np.abs(w[:last]) / np.abs(w[:last]).sum(1, keepdims=True) for _, _, w in joint.weights.values()])
    grouped = np.stack([shares[:, group].mean(1) for group in groups], axis=1)
    x = np.array([steps[group].mean() for group in groups])
    return {
        task: (x, grouped[:, :, i].mean(0), grouped[:, :, i].min(0), grouped[:, :, i].max(0))
        for i, task in enumerate(tasks)
    }


def gradient_cosines(joints: Sequence[Joint], *, over: str = "seeds", unit: str = "pictures") -> Chart | None:
    """None where no run noted them. ``over``: what there is one entry each of."""
    found = {joint.condition: _cosines(joint) for joint in joints if joint.cosines}
    if not found:
        return None
    records = _records(found, ("tasks", "epoch", "cosine"))
    return Chart(
        name="gradient-cosine",
        title="Gradients of two tasks",
        caption="Cosine between the gradients of two losses on the parameters that both reach, on the same training "
        f"{unit} after each epoch: mean over {over}, band from the lowest to the highest. Below 0 a step for one task "
        "undoes some of the other.",
        alt="Cosines after the last epoch: "
        + "; ".join(
            f"{name}: " + ", ".join(f"{pair} {number(columns[1][-1])}" for pair, columns in lines.items())
            for name, lines in found.items()
        ),
        draw=lambda width: _draw(width, found, x="epoch", y="cosine", span=(-1.05, 1.05), level=0.0),
        table=Table(name="gradient-cosine", caption="Cosine between gradients by epoch.", records=records),
    )


def _cosines(joint: Joint) -> Lines:
    pairs = dict.fromkeys(pair for series in joint.cosines.values() for pair in series)
    held = {pair: {seed: series[pair] for seed, series in joint.cosines.items() if pair in series} for pair in pairs}
    return {pair: spread(seeds)[:4] for pair, seeds in held.items()}


def _draw(
    width: float, found: Mapping[str, Lines], *, x: str, y: str, span: tuple[float, float], level: float
) -> Figure:
    names = list(dict.fromkeys(name for lines in found.values() for name in lines))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    room = 0.2 * len(names)
    figure, every = panels(len(found), width, left=0.66, bottom=0.55 + room)
    for axes, (condition, lines) in zip(every, found.items(), strict=True):
        axes.axhline(level, color=MUTED, lw=0.8, ls=(0, (4, 3)))
        for name, (at, mean, low, high) in lines.items():
            axes.fill_between(at, low, high, color=colours[name], alpha=0.2, lw=0)
            axes.plot(at, mean, color=colours[name], marker="o" if len(at) == 1 else None, ms=4)
        axes.set(ylim=span)
        axes.set_title(shortened(condition, 26), fontsize=8.5)
        axes.grid(axis="y")
    outer_labels(figure, x="", y=y)
    height = figure.get_size_inches()[1]
    boxes = [axes.get_position() for axes in every]
    across = (min(box.x0 for box in boxes) + max(box.x1 for box in boxes)) / 2
    figure.text(across, (0.12 + room) / height, x, ha="center", va="bottom", color=MUTED)
    handles = [every[0].plot([], [], color=colour, label=name)[0] for name, colour in colours.items()]
    figure.legend(handles=handles, loc="lower left", handlelength=1.3, borderpad=0.1, labelspacing=0.25)
    return figure
