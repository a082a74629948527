"""Learning curves: validation accuracy by epoch, a panel a condition, with the spread over its seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affekt.report.drawing import COLOURS, MUTED, Chart, outer_labels, panels
from affekt.report.numbers import shortened
from affekt.report.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Seeds = Mapping[int, tuple[list[float], list[float]]]


def curves(held: Mapping[str, Seeds], *, beside: str) -> Chart | None:
    """None where no run validated.

    Args:
        held: condition -> seed -> epochs and accuracies in percent.
        beside: the condition that every panel shows in grey, for comparison.
    """
    found = {name: spread(seeds) for name, seeds in held.items() if any(epochs for epochs, _ in seeds.values())}
    if not found:
        return None
    records = [
        {"condition": name, "epoch": int(e), "mean": float(m), "lowest": float(a), "highest": float(b), "seeds": int(n)}
        for name, columns in found.items()
        for e, m, a, b, n in zip(*columns, strict=True)
    ]
    grey = f"; grey: the mean of {beside}" if beside in found and len(found) > 1 else ""
    return Chart(
        name="learning-curves",
        title="Learning curves",
        caption=f"Accuracy on validation data by epoch: mean over seeds, band from the lowest to the highest "
        f"seed{grey}. n: seeds. Where weights are selected (select = best), it is on these data; "
        "test data are scored once.",
        alt="Learning curves, last epoch: "
        + "; ".join(f"{name} {columns[1][-1]:.1f} %" for name, columns in found.items()),
        draw=lambda width: _draw(width, found, beside),
        table=Table(name="learning-curves", caption="Validation accuracy by epoch, percent.", records=records),
    )


def spread(seeds: Seeds) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
    """Epochs, and over the seeds that reached each: mean, lowest, highest and their number."""
    held: dict[float, list[float]] = {}
    for epochs, values in seeds.values():
        for epoch, value in zip(epochs, values, strict=True):
            held.setdefault(epoch, []).append(value)
    epochs = sorted(held)
    columns = [np.array([reduce(held[e]) for e in epochs]) for reduce in (np.mean, min, max)]
    return np.array(epochs), columns[0], columns[1], columns[2], np.array([len(held[e]) for e in epochs])


def _draw(
    width: float, found: Mapping[str, tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]], beside: str
) -> Figure:
    figure, every = panels(len(found), width)
    lowest = min(float(columns[2].min()) for columns in found.values())
    highest = max(float(columns[3].max()) for columns in found.values())
    last = max(float(columns[0][-1]) for columns in found.values())
    room = 0.05 * (highest - lowest) or 1.0
    for axes, (name, (epochs, mean, low, high, count)) in zip(every, found.items(), strict=True):
        if beside in found and name != beside:
            axes.plot(found[beside][0], found[beside][1], color=MUTED, lw=0.9, alpha=0.7)
        axes.fill_between(epochs, low, high, color=COLOURS[0], alpha=0.25, lw=0)
        axes.plot(epochs, mean, color=COLOURS[0], marker="o" if len(epochs) == 1 else None, ms=4)
        axes.set(xlim=(min(0.5, last - 1), last + 0.5), ylim=(lowest - room, highest + room))
        axes.set_title(f"{shortened(name, 22)}  n = {count.max()}", fontsize=8.5)
        axes.grid(axis="y")
    outer_labels(figure, x="epoch", y="accuracy on validation, %")
    return figure
