"""Drawing: a map over its picture, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.data.manipulations.occlusion import Box
from affekt.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

Pixels = NDArray[np.uint8]

SIDE = 3.2
"""Inches of each picture's longer side, at 120 px each."""

STRONGEST = 0.85
"""How much of the grey picture the strongest point of a map covers."""

SIGNED, UNSIGNED = "RdBu_r", "inferno"


def overlay(picture: Pixels, looked: ArrayLike, *, title: str = "", boxes: Mapping[str, Box] | None = None) -> bytes:
    """PNG: the picture, and the map over a grey copy of it with a bar of its values.

    A signed map is red where it speaks for the answer and blue where it speaks against it, on one scale; a point covers
    the picture as much as it is strong.

    Args:
        picture: ``(H, W, 3)`` uint8.
        looked: ``(H, W)``.
        title: above them.
        boxes: name -> left, top, right, bottom as shares of the picture, drawn as frames.

    Raises:
        UsageError: shapes that do not fit.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = np.asarray(looked, dtype=np.float64)
    if picture.dtype != np.uint8 or picture.shape != (*values.shape, 3):
        raise UsageError(f"overlay: picture {picture.shape} {picture.dtype}, map {values.shape}; (H, W, 3) uint8 asked")
    height, width = SIDE * np.array(values.shape) / max(values.shape)
    with rc_context({"text.parse_math": False, "font.size": 9}):
        figure = Figure(figsize=(2 * width + 1.3, height + 0.6), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        plain, seen = figure.subplots(1, 2)
        plain.imshow(picture)
        seen.imshow(np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2))
        bar = figure.colorbar(_laid_over(seen, values), ax=seen, fraction=0.05, pad=0.02)
        bar.ax.tick_params(labelsize=7)
        for axes in (plain, seen):
            axes.set_axis_off()
            _frames(axes, values.shape, boxes or {})
        figure.suptitle(title, fontsize=9)
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _laid_over(axes: Axes, values: NDArray[np.float64]) -> ScalarMappable:
    """Draw the map with its strength as opacity; returns what a colour bar is made of."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    signed = bool((values < 0).any())
    most = float(np.abs(values).max()) or 1.0
    low = -most if signed else float(values.min())
    scale = ScalarMappable(Normalize(low, most if most > low else low + 1.0), colormaps[SIGNED if signed else UNSIGNED])
    coloured = scale.to_rgba(values)
    strength = np.abs(values) / most if signed else np.asarray(scale.norm(values))
    coloured[..., 3] = STRONGEST * strength
    axes.imshow(coloured)
    return scale


def _frames(axes: Axes, shape: tuple[int, ...], boxes: Mapping[str, Box]) -> None:
    from matplotlib.patches import Rectangle

    height, width = shape
    for name, (left, top, right, bottom) in boxes.items():
        # imshow has the middle of the first point at 0.
        corner = (left * width - 0.5, top * height - 0.5)
        frame = Rectangle(corner, (right - left) * width, (bottom - top) * height, fill=False, lw=1, ec="#ffd400")
        axes.add_patch(frame)
        behind = {"fc": "black", "ec": "none", "alpha": 0.6, "pad": 1.0}
        axes.text(*corner, name, fontsize=7, color="#ffd400", va="bottom", bbox=behind)
