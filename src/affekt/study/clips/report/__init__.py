"""Report of a study of clips: one page with its tables and figures, from comparison.json and the logs of its runs."""

from __future__ import annotations

from affekt.study.clips.report.tables import clip_tables
from affekt.study.clips.report.writing import write_clip_report

__all__ = ["clip_tables", "write_clip_report"]
