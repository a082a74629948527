"""Report of a comparison with people: one page with its figures, tables and the pictures where they differ most.

The page needs no other file and no network; it shows nothing that ``agreement.json`` does not hold, but the pictures.
"""

from __future__ import annotations

from affekt.humans.comparison.report.writing import AGREEMENT, REPORT, About, check_folder, write_comparison

__all__ = ["AGREEMENT", "REPORT", "About", "check_folder", "write_comparison"]
