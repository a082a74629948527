"""Drawing: one look for all figures, as SVG for the page (in its colours, light or dark) and as files for a paper."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from affekt.report.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette: told apart by people with any colour vision, and in print."""

WIDE, NARROW = 7.6, 3.7
"""Inches, at 96 px each: the page's text column, and a phone or half a column. Text has one size on all of them."""

INK, MUTED, RULE = "#1b1b1b", "#5a5a5a", "#dcdcdc"
THEME = {INK: "--ink", MUTED: "--muted", RULE: "--rule"} | {c.lower(): f"--c{i}" for i, c in enumerate(COLOURS)}
"""Colours that the page replaces by its own, so that figures follow its light or dark look."""

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "affekt",
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a class may be called "$"
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 9,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure and its numbers.

    Attributes:
        name: of its files.
        title: its heading in the page.
        caption: what is shown, with n.
        alt: what a reader who cannot see it should know.
        draw: width in inches -> figure.
        table: every number in it.
        widths: at which the page has it; the first is that of the files.
    """

    name: str
    title: str
    caption: str
    alt: str
    draw: Callable[[float], Figure]
    table: Table
    widths: tuple[float, ...] = (WIDE, NARROW)


@contextmanager
def styled() -> Iterator[None]:
    """A block in which figures are drawn in the house's look; signs that the font lacks are the browser's matter."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def canvas(width: float, height: float) -> Figure:
    """An empty figure, inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    figure.patch.set_visible(False)
    return figure


def placed(figure: Figure, *, left: float, right: float = 0.1, top: float = 0.1, bottom: float = 0.5) -> Axes:
    """The one pair of axes of a figure, with these margins in inches."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )
    axes.patch.set_visible(False)
    return axes


def panels(
    n: int,
    width: float,
    *,
    columns: tuple[int, int] = (4, 2),
    height: float = 1.25,
    left: float = 0.5,
    gap: tuple[float, float] = (0.22, 0.42),
    bottom: float = 0.5,
    every_y: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Small multiples: n axes in rows, ticks written on the outer ones only.

    Args:
        columns: at most so many side by side, on the wide page and on the narrow one.
        height: of each, inches.
        gap: between two columns and two rows, inches.
        every_y: y ticks are written on each.
    """
    across = min(n, columns[0] if width > NARROW else columns[1])
    down = -(-n // across)
    right, top = 0.12, 0.3
    figure = canvas(width, top + bottom + down * height + (down - 1) * gap[1])
    total = figure.get_size_inches()[1]
    most = columns[0] if width > NARROW else columns[1]
    inner = (width - left - right - (most - 1) * gap[0]) / most
    found = []
    for i in range(n):
        row, column = divmod(i, across)
        x, y = left + column * (inner + gap[0]), total - top - height - row * (height + gap[1])
        axes = figure.add_axes((x / width, y / total, inner / width, height / total))
        axes.patch.set_visible(False)
        axes.tick_params(labelleft=every_y or column == 0, labelbottom=i + across >= n)
        found.append(axes)
    return figure, found


def outer_labels(figure: Figure, *, x: str, y: str) -> None:
    """One label for the x axes of all panels, one for the y axes."""
    width, height = figure.get_size_inches()
    boxes = [axes.get_position() for axes in figure.axes]
    across = (min(box.x0 for box in boxes) + max(box.x1 for box in boxes)) / 2
    up = (min(box.y0 for box in boxes) + max(box.y1 for box in boxes)) / 2
    figure.text(across, 0.08 / height, x, ha="center", va="bottom", color=MUTED)
    figure.text(0.1 / width, up, y, ha="center", va="center", rotation=90, color=MUTED)


def named_rows(axes: Axes, names: Sequence[str]) -> None:
    """A row a name, the first on top, with a grid for the values along x."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    axes.margins(x=0.08)
    axes.grid(axis="x")


def label_room(names: Sequence[str]) -> float:
    """Inches that names need beside an axis."""
    return 0.2 + 0.083 * max((len(name) for name in names), default=0)


def as_svg(figure: Figure) -> str:
    """The file for a paper: text as text, colours as they are, the same bytes every time."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().decode()


def as_pdf(figure: Figure) -> bytes:
    """The same as PDF, fonts embedded."""
    out = io.BytesIO()
    figure.savefig(out, format="pdf", metadata={"CreationDate": None, "Creator": "affekt"})
    return out.getvalue()


def for_page(svg: str, *, name: str, alt: str) -> str:
    """A figure's SVG as an element of the page: its colours, its font, ids of its own, a label for who cannot see it.

    Args:
        name: what its ids begin with.
        alt: the label.
    """
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if _bare(child.tag) in ("metadata", "style"):
                parent.remove(child)
    used = {
        ref for element in root.iter() for value in element.attrib.values() for ref in re.findall(r"#([\w-]+)", value)
    }
    for element in root.iter():
        element.tag = _bare(element.tag)
        element.attrib = dict(_attributes(element.attrib, name, used))
    width = float(root.attrib.pop("width").removesuffix("pt"))
    root.attrib.pop("height")
    root.attrib |= {"role": "img", "aria-label": alt, "style": f"width: {width * 4 / 3:.0f}px"}
    return ElementTree.tostring(root, encoding="unicode")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attributes(attributes: dict[str, str], name: str, used: set[str]) -> Iterator[tuple[str, str]]:
    for key, value in attributes.items():
        plain = _bare(key)
        if plain == "id":
            if value in used:
                yield plain, f"{name}-{value}"
        elif plain == "d":
            yield plain, re.sub(r"-?\d+\.\d+", _hundredths, value)
        elif plain == "style":
            yield plain, _themed(re.sub(r"url\(#", f"url(#{name}-", value))
        elif plain in ("fill", "stroke"):
            yield plain, _themed(value)
        elif value.startswith("url(#"):
            yield plain, value.replace("url(#", f"url(#{name}-")
        elif plain == "href":
            yield plain, f"#{name}-{value.removeprefix('#')}"
        else:
            yield plain, value


def _hundredths(found: re.Match[str]) -> str:
    """A coordinate to a hundredth of a point: a figure of thousands of cells is a third shorter so."""
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _themed(style: str) -> str:
    """Colours by name, and the page's own typeface in the size that the figure asks."""
    coloured = re.sub(r"#[0-9a-f]{6}", lambda m: f"var({THEME[m[0]]})" if m[0] in THEME else m[0], style)
    return re.sub(r"font-family: [^;]*;? ?", "", re.sub(r"font: ((?:\d+ )?)([\d.]+px)[^;]*", _font, coloured))


def _font(found: re.Match[str]) -> str:
    """The short form, as some versions of matplotlib write it, without its typeface."""
    weight = f"font-weight: {found[1].strip()}; " if found[1] else ""
    return f"{weight}font-size: {found[2]}"
