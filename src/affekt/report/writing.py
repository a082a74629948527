"""Writing: every chart drawn for the page and as files; a file whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from affekt.errors import AffektError
from affekt.report.drawing import Chart, as_pdf, as_svg, for_page, styled

Figures = dict[tuple[str, float], str]
"""The SVG of every chart, by name and width in inches."""


def draw(charts: Iterable[Chart], *, pdf: bool = True) -> tuple[Figures, dict[str, bytes]]:
    """Every chart for the page, and its files, by their place in the report's folder.

    Args:
        pdf: beside each SVG; embedding its fonts takes three times as long as all else.
    """
    page: Figures = {}
    files: dict[str, bytes] = {}
    with styled():
        for chart in charts:
            for width in chart.widths:
                figure = chart.draw(width)
                svg = as_svg(figure)
                page[chart.name, width] = for_page(svg, name=f"{chart.name}-{round(width)}", alt=chart.alt)
                if width == chart.widths[0]:
                    files[f"figures/{chart.name}.svg"] = svg.encode()
                    if pdf:
                        files[f"figures/{chart.name}.pdf"] = as_pdf(figure)
    return page, files


def write_file(path: Path, content: bytes) -> Path:
    """A file whole or not at all.

    Raises:
        AffektError: the folder cannot be written, or the disk is full.
    """
    # Of this call alone: commands, perhaps of several machines, may end one study at the same moment.
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise AffektError(f"cannot write {path}: {error.strerror}") from None
    return path
