"""Sections of the page: which figures and tables stand under which heading, by what a study has."""

from __future__ import annotations

from collections.abc import Iterator

from affekt.report.drawing import Chart
from affekt.report.numbers import counted
from affekt.report.page import Section
from affekt.study.content import Comparison
from affekt.study.frame import what_they_are
from affekt.study.report import charts
from affekt.study.report.gathering import Gathered, Shown
from affekt.study.report.joint_table import joint_table
from affekt.study.report.pictures import Ends
from affekt.study.report.reading import Study
from affekt.study.report.study_tables import comparisons_table, conditions_table, tuning_table


def sections(study: Study, gathered: Gathered, ends: Ends | None, ends_note: str) -> Iterator[Section]:
    """All sections between the verdict and what it takes to do the study again.

    Args:
        ends: the items with the most and the least r; None without a regulated run.
        ends_note: why they come without pictures.
    """
    comparison = study.comparison
    if comparison.get("attribution"):
        waterfall = charts.attribution(comparison)
        lead = "" if waterfall else "Neither a link of the chain nor the whole of it has both of its ends yet."
        title = "Where the difference comes from"
        yield Section(title=title, id="attribution", lead=lead, charts=_there(waterfall))
    yield Section(
        title="Every condition",
        id="conditions",
        lead="" if comparison.get("conditions") else "No condition has a finished run yet.",
        charts=_there(charts.conditions(comparison)),
        tables=[table for table in (conditions_table(comparison),) if table.records],
        notes=what_they_are(comparison),
    )
    declared = comparisons_table(comparison)
    yield Section(
        title="Declared comparisons",
        id="comparisons",
        lead="" if declared.records else "No declared comparison has its runs yet.",
        tables=[declared] if declared.records else (),
    )
    tuned = tuning_table(comparison)
    if tuned.records:
        yield Section(title="Learning rates", id="tuning", tables=[tuned])
    beside = "baseline" if "baseline" in study.curves else next(iter(study.curves), "")
    learning = _there(charts.curves(study.curves, beside=beside), charts.cost(comparison))
    if learning:
        yield Section(title="Learning and cost", id="learning", charts=learning)
    joint = joint_table(comparison, study.joint)
    if joint.records:
        yield Section(
            title="Joint losses",
            id="losses",
            charts=_there(charts.weights_over_time(study.joint), charts.gradient_cosines(study.joint)),
            tables=[joint],
        )
    reliability = _there(charts.calibration(comparison, gathered.runs))
    if reliability:
        yield Section(title="Calibration", id="calibration", charts=reliability)
    if gathered.shown is None:
        yield Section(title="Regulation", id="regulation", lead="No regulated run has finished.")
        return
    yield from _regulated(study, gathered, gathered.shown)
    gallery = None if ends is None else ends.gallery(ends_note)
    yield Section(title="Pictures with the most and the least r", id="pictures", gallery=gallery)


def _regulated(study: Study, gathered: Gathered, shown: Shown) -> Iterator[Section]:
    comparison, names, states = study.comparison, class_names(study), _state_names(study, shown)
    condition: Comparison = next(
        (c for c in comparison.get("conditions") or () if c.get("name") == shown.condition), {}
    )
    spearman = (condition.get("regulation") or {}).get("spearman") or {}
    yield Section(
        title="Regulation weight r",
        id="regulation",
        lead=f"What is shown item by item is {shown.condition}, {counted(len(shown.seeds), 'seed')}.",
        charts=_there(
            charts.histograms(comparison, gathered.regulated),
            charts.regulation_by_class(shown, names),
            charts.regulation_against_affect(shown, states, spearman),
        ),
    )
    branches = _there(charts.agreement(comparison, gathered.regulated), charts.gaps(comparison))
    yield Section(title="The two branches", id="branches", charts=branches)
    affect = _there(charts.affect_by_class(shown, names, states))
    if affect:
        yield Section(title="Affect state", id="affect", charts=affect)


def _there(*found: Chart | None) -> list[Chart]:
    return [chart for chart in found if chart is not None]


def class_names(study: Study) -> list[str]:
    """The names of the target's classes."""
    return [str(name) for name in study.comparison.get("classes") or ()]


def _state_names(study: Study, shown: Shown) -> list[str]:
    """Names of the numbers of the affect state; numbered where the study does not name just as many."""
    names = [str(name) for name in study.comparison.get("state_names") or ()]
    width = shown.affect.shape[1]
    return names if len(names) == width else [f"state {k + 1}" for k in range(width)]
