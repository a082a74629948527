"""The page of a study: what stands above and below its sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affekt.report.numbers import count, counted, interval, known, probability, signed
from affekt.report.page import Section, render
from affekt.report.writing import Figures
from affekt.study.content import Comparison
from affekt.study.report.caveats import caveats, headline, progress
from affekt.study.report.reading import Study
from affekt.study.report.study_tables import comparison_name, items


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the template shows.

    Attributes:
        figures: the SVG of every chart, by name and width in inches.
        notes: what could not be read.
    """

    study: Study
    sections: Sequence[Section]
    figures: Figures
    notes: Sequence[str] = ()

    def render(self) -> str:
        """The whole HTML; every word that is not the template's is escaped."""
        comparison = self.study.comparison
        return render(
            "affekt.study.report",
            "report.html",
            sections=self.sections,
            figures=self.figures,
            page=self,
            title=str(comparison.get("name") or self.study.path.name),
            about=str(comparison.get("about") or ""),
            progress=progress(comparison),
            sentence=(comparison.get("verdict") or {}).get("sentence") or "No verdict yet.",
            key_figure=key_figure(comparison),
            against_control=(comparison.get("verdict") or {}).get("against_control") or "",
            rules=(comparison.get("verdict") or {}).get("rules") or "",
            caveats=caveats(comparison),
            setting=setting(comparison),
            failed=[
                {key: run.get(key) for key in ("condition", "seed", "error")} for run in comparison.get("failed") or ()
            ],
            provenance=[_data_set(held) for held in comparison.get("provenance") or ()],
            citation=str(comparison.get("citation") or ""),
            notes=[*map(str, comparison.get("notes") or ()), *self.notes],
        )


def _data_set(held: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(held.get(key) or "not stated") for key in ("name", "licence", "citation")}


def key_figure(comparison: Comparison) -> dict[str, str] | None:
    """The comparison that the page opens with, in words; None without one."""
    held = headline(comparison)
    if held is None or not known(held.get("estimate")):
        return None
    seeds = len(held.get("seeds") or ())
    return {
        "name": comparison_name(held),
        "estimate": signed(held["estimate"]),
        "interval": interval(held.get("low"), held.get("high"), sign=True),
        "p": probability(held.get("p_holm")),
        "verdict": str(held.get("verdict") or ""),
        "over": f"over {'test items alone' if seeds == 1 else 'seeds and test items'}; "
        f"n = {counted(seeds, 'seed')} × {items(comparison)}",
    }


def setting(comparison: Comparison) -> str:
    """One line: how much was run, on what."""
    runs: Mapping[str, Any] = comparison.get("runs") or {}
    conditions = counted(len(comparison.get("conditions") or ()), "condition")
    finished = f"{count(runs.get('finished'))} of {count(runs.get('declared'))} runs"
    version = f"affekt {comparison['affekt_version']}" if comparison.get("affekt_version") else ""
    return " · ".join(filter(None, [conditions, finished, items(comparison), version]))
