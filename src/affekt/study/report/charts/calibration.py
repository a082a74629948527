"""Calibration: confidence against accuracy in adaptive bins, and the calibration error beside its bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affekt.report.drawing import COLOURS, MUTED, Chart, outer_labels, panels
from affekt.report.numbers import number, shortened
from affekt.report.table import Table
from affekt.study.content import Comparison
from affekt.study.report.predictions import Reduced
from affekt.study.report.study_tables import items, metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


def calibration(comparison: Comparison, runs: Mapping[str, Mapping[int, Reduced]]) -> Chart | None:
    """None where no run's predictions could be read."""
    found = {name: reliability(list(seeds.values())) for name, seeds in runs.items()}
    if not found:
        return None
    errors = {str(c.get("name")): metric(c, "ece") for c in comparison.get("conditions") or ()}
    records = [
        {
            "condition": name,
            "bin": i + 1,
            "confidence": float(confidence),
            "accuracy": float(accuracy),
            "lowest": float(low),
            "highest": float(high),
            "items": float(size),
            "seeds": len(runs[name]),
        }
        for name, columns in found.items()
        for i, (confidence, accuracy, low, high, size) in enumerate(zip(*columns, strict=True))
    ]
    return Chart(
        name="calibration",
        title="",
        caption="Accuracy of the test items by the network's confidence, in bins of equal numbers of items: mean over "
        f"seeds, band from the lowest to the highest seed; {items(comparison)} a seed. Dashed: perfect calibration. "
        "ECE: the calibration error; bias: what a perfectly calibrated network of the same confidences would get. An "
        "error near its bias says nothing against a network.",
        alt="Reliability diagrams. "
        + "; ".join(f"{name}: ECE {number(errors.get(name, {}).get('mean'), 3)}" for name in found),
        draw=lambda width: _draw(width, found, errors),
        table=Table(name="calibration", caption="Reliability by adaptive bins.", records=records),
    )


def reliability(runs: Sequence[Reduced]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Of each bin over the runs: mean confidence, mean, lowest and highest accuracy, mean number of items."""
    bins = min(len(run.sizes) for run in runs)
    accuracy = np.stack([run.accuracy[:bins] for run in runs])
    confidence = np.stack([run.confidence[:bins] for run in runs]).mean(axis=0)
    sizes = np.stack([run.sizes[:bins] for run in runs]).mean(axis=0)
    return confidence, accuracy.mean(axis=0), accuracy.min(axis=0), accuracy.max(axis=0), sizes


def _draw(width: float, found: Mapping[str, tuple[Floats, ...]], errors: Mapping[str, Mapping[str, Any]]) -> Figure:
    figure, every = panels(len(found), width, height=1.3)
    for axes, (name, (confidence, accuracy, low, high, _)) in zip(every, found.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        axes.fill_between(confidence, low, high, color=COLOURS[0], alpha=0.25, lw=0)
        axes.plot(confidence, accuracy, color=COLOURS[0], marker="o", ms=2.5, lw=1.2)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_xticklabels(["0", ".5", "1"])
        axes.set_yticklabels(["0", ".5", "1"])
        axes.set_title(shortened(name, 24), fontsize=8.5)
        ece = errors.get(name, {})
        words = f"ECE {number(ece.get('mean'), 3)}\nbias {number(ece.get('bias'), 3)}"
        axes.text(0.97, 0.06, words, ha="right", va="bottom", fontsize=7.5, color=MUTED)
        axes.grid()
    outer_labels(figure, x="confidence", y="accuracy")
    return figure
