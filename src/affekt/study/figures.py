"""Figures of a run: training curves, regulation weight by class, pictures with the highest and lowest r."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affekt.errors import AffektError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette: told apart by people with any colour vision, and in print."""

GREY = "#555555"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of the training curves: a condition's validation accuracy (0 to 1) after each epoch (from 1)."""

    name: str
    epochs: Sequence[float]
    accuracy: Sequence[float]
    test: float | None = None


@dataclass(frozen=True, kw_only=True)
class Regulated:
    """What a regulated model did on N test pictures.

    Attributes:
        regulation: ``(N,)`` r in [0, 1].
        category: ``(N,)`` index into ``categories``.
        categories: names of the K classes.
        captions: ``(N,)`` a word under each picture.
        images: ``{index: (S, S, 3) uint8}`` of at least the pictures that :func:`extremes` names.
    """

    regulation: Floats
    category: NDArray[np.int64]
    categories: Sequence[str]
    captions: Sequence[str]
    images: Mapping[int, Pixels]


def extremes(regulation: Floats, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the ``n`` highest r, highest first, and of the ``n`` lowest, lowest first; none stands in both."""
    n = min(n, len(regulation) // 2)
    order = np.argsort(regulation, kind="stable").astype(np.int64)
    return order[::-1][:n], order[:n]


def overview(
    curves: Sequence[Curve], regulated: Regulated, path: Path, *, title: str, credit: str = "", pictures: int = 12
) -> list[Path]:
    """Draw the three panels and write them as ``path`` with ``.png`` and ``.svg``.

    Args:
        title: above the figure.
        credit: below it: whose pictures these are, and on what terms.
        pictures: shown in each of the two rows.

    Raises:
        AffektError: the files cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Text stays text in the SVG, and its ids do not change from one call to the next.
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "affekt",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(11, 8.2), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=13, fontweight="bold")
        figure.supxlabel(credit, fontsize=7, color=GREY, x=0.99, ha="right")
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.25, 1))[:, 0]
        left, right = above.subplots(1, 2, width_ratios=(1, 1.15))
        draw_curves(left, curves)
        draw_regulation(right, regulated)
        draw_pictures(below, regulated, pictures)
        return _write(figure, path)


def draw_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    """Validation accuracy by epoch; a condition's test accuracy stands in its label."""
    for curve, colour in zip(curves, COLOURS, strict=False):
        test = "" if curve.test is None else f" (test {100 * curve.test:.1f} %)"
        axes.plot(curve.epochs, 100 * np.asarray(curve.accuracy), color=colour, lw=1.8, label=curve.name + test)
    axes.set(title="Training", xlabel="epoch", ylabel="accuracy on validation, %")
    axes.grid(axis="y", alpha=0.25)
    axes.legend(frameon=False, loc="lower right")


def draw_regulation(axes: Axes, regulated: Regulated) -> None:
    """r of every test picture by class, classes in order of their median; n beside each name."""
    groups = [regulated.regulation[regulated.category == k] for k in range(len(regulated.categories))]
    present = [k for k, values in enumerate(groups) if len(values)]
    present.sort(key=lambda k: float(np.median(groups[k])))
    axes.boxplot(
        [groups[k] for k in present],
        orientation="horizontal",
        widths=0.6,
        showfliers=False,
        medianprops={"color": "black"},
        boxprops={"color": GREY},
        whiskerprops={"color": GREY},
        capprops={"color": GREY},
    )
    for row, k in enumerate(present, start=1):
        # Spread within the row by rank, not by chance: the figure is the same every time.
        spread = 0.36 * (np.modf(np.arange(len(groups[k])) * 0.618034)[0] - 0.5)
        axes.scatter(groups[k], row + spread, s=7, color=COLOURS[0], alpha=0.45, linewidths=0)
    axes.set_yticks(range(1, len(present) + 1), [f"{regulated.categories[k]} (n = {len(groups[k])})" for k in present])
    axes.set(title="Regulation weight r by class", xlabel="r: 0 non-emotional ... 1 emotionally influenced")
    axes.grid(axis="x", alpha=0.25)


def draw_pictures(below: SubFigure, regulated: Regulated, n: int) -> None:
    """A row of pictures with the highest r above a row with the lowest."""
    highest, lowest = extremes(regulated.regulation, n)
    rows = below.subfigures(2, 1, squeeze=False, hspace=0.02)[:, 0]
    for row, indices, name in zip(rows, (highest, lowest), ("Highest", "Lowest"), strict=True):
        row.suptitle(f"{name} r", fontsize=11, x=0.01, ha="left")
        grid = row.subplots(1, max(1, n), squeeze=False)[0]
        for axes in grid:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, index in zip(grid, indices, strict=False):
            axes.imshow(regulated.images[int(index)], interpolation="antialiased")
            axes.set_title(f"{regulated.regulation[index]:.2f}", fontsize=10, pad=3)
            words = textwrap.fill(regulated.captions[int(index)], 12)
            caption = axes.set_xlabel(words, fontsize=7, color=GREY, labelpad=3)
            # A long caption may stand over its neighbours' margins, but must not make its picture smaller.
            caption.set_in_layout(False)


def _write(figure: Figure, path: Path) -> list[Path]:
    metadata: dict[str, dict[str, Any]] = {".png": {"Software": "affekt"}, ".svg": {"Date": None}}
    written = [path.with_suffix(suffix) for suffix in metadata]
    try:
        for file in written:
            figure.savefig(file, dpi=150, metadata=metadata[file.suffix])
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None
    return written
