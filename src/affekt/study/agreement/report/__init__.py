"""The report of a study's agreement with people: ``agreement.json``, ``report.html``, figures and tables."""

from __future__ import annotations

from affekt.study.agreement.report.writing import write_agreement

__all__ = ["write_agreement"]
