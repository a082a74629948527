"""Writing a comparison: ``agreement.json``, ``report.html``, figures and tables, in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affekt import __version__
from affekt.errors import UsageError
from affekt.humans.comparison.comparing import Comparison
from affekt.humans.comparison.record import to_json
from affekt.humans.comparison.report.page import TEMPLATE, cautions, key, sections, title
from affekt.report import PicturesById, Table, draw, render, write_file
from affekt.report.numbers import counted
from affekt.report.table import as_csv

AGREEMENT, REPORT = "agreement.json", "report.html"


@dataclass(frozen=True, kw_only=True)
class About:
    """What the page says beside the numbers.

    Attributes:
        command: that makes it again.
        citation: of people's set.
        more: further keys of ``agreement.json``, e.g. ``split``.
        pictures: reads people's stimuli by id; None: they are named only.
        no_pictures: why, in a sentence.
    """

    command: str = ""
    citation: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    pictures: PicturesById | None = None
    no_pictures: str = ""


def check_folder(folder: Path) -> Path:
    """A folder that a comparison may be written to: absent, or empty.

    Raises:
        UsageError: it is a file, or holds something.
    """
    if (folder / AGREEMENT).exists():
        raise UsageError(f"{folder}: holds a comparison already, which is not overwritten; give another --out DIR")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(f"{folder}: exists already and is not overwritten; give a new or an empty folder as --out DIR")
    return folder


def write_comparison(found: Comparison, folder: Path, about: About | None = None) -> list[Path]:
    """Write a comparison into a folder; ``agreement.json`` last, so that a folder that has it is complete.

    The same comparison gives the same bytes.

    Returns:
        The files, the page first.

    Raises:
        UsageError: the folder holds something.
        AffektError: the folder cannot be written.
    """
    about = about or About()
    check_folder(folder)
    made = sections(found, about.pictures, about.no_pictures)
    figures, files = draw((chart for section in made for chart in section.charts), pdf=False)
    tables: list[Table] = [chart.table for section in made for chart in section.charts]
    tables += [table for section in made for table in section.tables]
    tables += [section.gallery.table for section in made if section.gallery is not None]
    page = render(
        "affekt.humans.comparison.report",
        TEMPLATE,
        sections=made,
        figures=figures,
        title=title(found),
        kicker=f"affekt compare-humans · {found.people.name}",
        key=key(found),
        setting=_setting(found),
        cautions=cautions(found),
        command=about.command,
        notes=list(dict.fromkeys(found.notes)),
        name=found.people.name,
        licence=found.people.licence,
        citation=about.citation,
    )
    texts = {f"tables/{table.name}.csv": as_csv(table).encode() for table in tables}
    record = json.dumps(to_json(found, **about.more), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    everything = {REPORT: page.encode()} | files | texts | {AGREEMENT: record.encode()}
    return [write_file(folder / name, content) for name, content in everything.items()]


def _setting(found: Comparison) -> str:
    words = [
        counted(len(found.models), "model"),
        f"{len(found.joined):,} of {found.joined.total:,} stimuli",
        f"{found.resamples:,} resamples, seed {found.seed}",
        f"affekt {__version__}",
    ]
    return " · ".join(words)
