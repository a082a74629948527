"""Charts of a comparison: one figure a file, each a function of a part; None where the part has nothing of it."""

from __future__ import annotations

from affekt.humans.comparison.report.charts.calibration import calibration
from affekt.humans.comparison.report.charts.conditions import conditions
from affekt.humans.comparison.report.charts.confusions import confusions
from affekt.humans.comparison.report.charts.curves import curves
from affekt.humans.comparison.report.charts.measures import measure_chart
from affekt.humans.comparison.report.charts.scatter import scatter

__all__ = ["calibration", "conditions", "confusions", "curves", "measure_chart", "scatter"]
