"""Report: a study's folder becomes one page with its verdict, figures and tables, ready for a reader or a paper.

>>> from affekt.study.report import tables, write_report
>>> files = write_report(Path("runs/study"))  # doctest: +SKIP
>>> print(tables(comparison, "latex", only="comparisons"))  # doctest: +SKIP

The page needs no other file and no network. Pictures are shown where the caller can read them: ``stimuli`` maps ids to
pixels.
"""

from __future__ import annotations

from affekt.study.report.study_tables import tables
from affekt.study.report.writing import write_report

__all__ = ["tables", "write_report"]
