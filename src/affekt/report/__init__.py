"""Report: what every report is made of - figures, tables, numbers in words, pictures, and the page that holds them.

A report gives sections of charts and tables; :func:`~affekt.report.writing.draw` draws the charts once for the page (in
its colours, light or dark, wide or narrow) and once as files; ``templates/page.html`` is the page, which needs no other
file and no network, and which a report's own template extends.
"""

from __future__ import annotations

from affekt.report.drawing import Chart
from affekt.report.page import Section, render
from affekt.report.pictures import Gallery, Picture, PicturesById
from affekt.report.table import Column, Table
from affekt.report.writing import draw, write_file

__all__ = [
    "Chart",
    "Column",
    "Gallery",
    "Picture",
    "PicturesById",
    "Section",
    "Table",
    "draw",
    "render",
    "write_file",
]
