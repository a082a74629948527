"""Charts of the report: one figure a file, each a function of what it shows."""

from __future__ import annotations

from affekt.study.report.charts.affect import affect_by_class
from affekt.study.report.charts.attribution import attribution
from affekt.study.report.charts.branches import agreement, gaps
from affekt.study.report.charts.calibration import calibration
from affekt.study.report.charts.conditions import conditions
from affekt.study.report.charts.cost import cost
from affekt.study.report.charts.curves import curves
from affekt.study.report.charts.joint import gradient_cosines, weights_over_time
from affekt.study.report.charts.regulation import histograms, regulation_against_affect, regulation_by_class

__all__ = [
    "affect_by_class",
    "agreement",
    "attribution",
    "calibration",
    "conditions",
    "cost",
    "curves",
    "gaps",
    "gradient_cosines",
    "histograms",
    "regulation_against_affect",
    "regulation_by_class",
    "weights_over_time",
]
