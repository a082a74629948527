"""The page: sections of figures, tables and pictures in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affekt.report.drawing import NARROW, WIDE, Chart
from affekt.report.numbers import count
from affekt.report.pictures import Gallery
from affekt.report.table import Table, as_csv
from affekt.report.writing import Figures


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with what stands under it, in the order of the fields."""

    title: str
    id: str
    lead: str = ""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    gallery: Gallery | None = None
    notes: Sequence[str] = ()


def render(package: str, template: str, *, sections: Sequence[Section], figures: Figures, **words: Any) -> str:
    """The whole HTML; every word that is not the template's is escaped.

    Args:
        package: whose ``templates`` hold the template, which extends our ``page.html``.
        figures: as :func:`~affekt.report.writing.draw` gives them.
        words: what else the template asks for.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("affekt.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": data_uri, "count": count}
    return environment.get_template(template).render(
        sections=sections, figures=figures, wide=WIDE, narrow=NARROW, **words
    )


def data_uri(table: Table) -> str:
    """A table's CSV as a link's target."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(as_csv(table).encode()).decode()
