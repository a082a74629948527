"""Writing the report: read a study, draw what it has, and write page, figures and tables."""

from __future__ import annotations

from pathlib import Path

from affekt.errors import UsageError
from affekt.report import PicturesById, draw, write_file
from affekt.report.table import as_csv
from affekt.study.report.gathering import gather
from affekt.study.report.joint_table import joint_table
from affekt.study.report.page import Page
from affekt.study.report.pictures import ends
from affekt.study.report.reading import read_study
from affekt.study.report.sections import class_names, sections
from affekt.study.report.study_tables import study_tables


def write_report(study: Path, *, pictures: bool | None = None, stimuli: PicturesById | None = None) -> list[Path]:
    """Write ``report.html``, ``figures/*.svg`` and ``.pdf``, and ``tables/*.csv`` into a study's folder.

    A study that is not finished has what there is so far, and says so on top. The same study gives the same bytes.

    Args:
        study: its folder, with ``comparison.json`` and ``runs``.
        pictures: show the test pictures with the most and the least regulation. None: where ``stimuli`` is given;
            False: their ids only.
        stimuli: ids -> pictures, each ``(H, W, 3) uint8``.

    Returns:
        The files, the page first.

    Raises:
        AffektError: no comparison there, a damaged one, or the folder cannot be written.
        UsageError: ``pictures=True`` without ``stimuli``, or pictures that are none.
    """
    if pictures and stimuli is None:
        raise UsageError("pictures = True: needs stimuli, which reads the test pictures by id")
    study = Path(study)
    held = read_study(study)
    if held.comparison.get("kind") == "clips":
        from affekt.study.clips.report import write_clip_report

        return write_clip_report(study)
    gathered = gather(held)
    at_ends = None
    if gathered.shown is not None:
        at_ends = ends(gathered.shown, class_names(held), None if pictures is False else stimuli)
    found = list(sections(held, gathered, at_ends, _ends_note(pictures, stimuli)))
    charts = [chart for section in found for chart in section.charts]
    figures, files = draw(charts)
    page = Page(study=held, sections=found, figures=figures, notes=[*held.notes, *gathered.notes])
    own = [joint_table(held.comparison, held.joint)] if held.joint else []
    own += [at_ends.table] if at_ends else []
    tables = [chart.table for chart in charts] + study_tables(held.comparison) + own
    texts = {f"tables/{table.name}.csv": as_csv(table).encode() for table in tables}
    return [
        write_file(study / name, content)
        for name, content in ({"report.html": page.render().encode()} | files | texts).items()
    ]


def _ends_note(pictures: bool | None, stimuli: PicturesById | None) -> str:
    if pictures is False:
        return "Ids only: the report was asked to show no pictures."
    return "Ids only: the report was given no access to the test pictures." if stimuli is None else ""
