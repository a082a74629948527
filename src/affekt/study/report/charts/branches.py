"""The two branches: how often both are right, one or none, and what each loses from validation to test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from affekt.report.drawing import COLOURS, MUTED, NARROW, Chart, canvas, label_room, placed
from affekt.report.numbers import known, number, share, shortened
from affekt.report.table import Record, Table
from affekt.study.content import Comparison
from affekt.study.report.predictions import OUTCOMES, Reduced
from affekt.study.report.study_tables import items

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 0.29
BRANCHES = {"non_emotional": "non-emotional", "influenced": "influenced"}
SPLITS = ("train", "validation", "test")


def agreement(comparison: Comparison, regulated: Mapping[str, Sequence[Reduced]]) -> Chart | None:
    """None without a run of two branches."""
    records = [_outcomes(name, runs) for name, runs in regulated.items()]
    if not records:
        return None
    return Chart(
        name="agreement",
        title="Agreement of the branches",
        caption=f"Share of the test items that both branches name rightly, one of them, or none; mean over seeds, "
        f"{items(comparison)} a seed. A balance between branches can only help where one is right and the other not; "
        "the numbers behind the figure say how often the mixture is right there.",
        alt="Stacked bars. " + "; ".join(f"{r['condition']}: both {share(r['both'])}" for r in records),
        draw=lambda width: _draw_agreement(width, records),
        table=Table(name="agreement", caption="Shares of items by which branches are right.", records=records),
        widths=(NARROW,),
    )


def _outcomes(name: str, runs: Sequence[Reduced]) -> Record:
    held = [(run.regulated, run.n) for run in runs if run.regulated]
    shares = np.mean([r.outcomes / max(r.outcomes.sum(), 1) for r, _ in held], axis=0)
    split = sum(int(r.outcomes[1:3].sum()) for r, _ in held)
    return {
        "condition": name,
        "seeds": len(held),
        "items": sum(n for _, n in held) // len(held),
        **{outcome: float(value) for outcome, value in zip(OUTCOMES, shares, strict=True)},
        "mixture right where one is": sum(r.rescued for r, _ in held) / split if split else None,
    }


_SHADES = {
    "both": (COLOURS[0], 0.9),
    "non-emotional only": (COLOURS[5], 0.9),
    "influenced only": (COLOURS[1], 0.85),
    "none": (MUTED, 0.35),
}


def _draw_agreement(width: float, records: Sequence[Record]) -> Figure:
    names = [f"{shortened(r['condition'], 18)}  n = {r['seeds']}" for r in records]
    figure = canvas(width, 0.5 + 0.55 + ROW * len(records))
    axes = placed(figure, left=min(label_room(names), 0.48 * width), right=0.15, top=0.55)
    start = np.zeros(len(records))
    for outcome in OUTCOMES:
        values = np.array([100 * r[outcome] for r in records])
        colour, alpha = _SHADES[outcome]
        axes.barh(range(len(records)), values, left=start, height=0.62, color=colour, alpha=alpha, lw=0, label=outcome)
        start = start + values
    axes.set(ylim=(len(records) - 0.4, -0.6), xlim=(0, 100), xlabel="share of the test items, %")
    axes.set_yticks(range(len(records)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", ncols=2, handlelength=0.9, handleheight=0.8, columnspacing=1.2,
                  borderpad=0.1, labelspacing=0.3)  # fmt: skip
    return figure


def gaps(comparison: Comparison) -> Chart | None:
    """None where no condition has branches that were scored on both validation and test."""
    records = [
        record
        for condition in comparison.get("conditions") or ()
        for record in _gap_records(condition)
        if known(record["validation"]) and known(record["test"])
    ]
    if not records:
        return None
    return Chart(
        name="branch-gap",
        title="Each branch on its own",
        caption="Accuracy of each branch alone, mean over seeds: bar from its training pictures (stroke) over "
        f"validation (open) to test (filled), {items(comparison)}. A branch that falls far from training to test has "
        "learned by heart, and a regulator that leans on it takes the mixture along.",
        alt="Accuracy of the branches on test. "
        + "; ".join(f"{r['condition']}, {r['branch']}: {number(r['test'], 1)} %" for r in records),
        draw=lambda width: _draw_gaps(width, records),
        table=Table(name="branch-gap", caption="Accuracy of each branch, percent.", records=records),
        widths=(NARROW,),
    )


def _gap_records(condition: Mapping[str, Any]) -> list[Record]:
    branches = condition.get("branches") or {}
    return [
        {
            "condition": str(condition.get("name", "")),
            "seeds": len(condition.get("seeds") or ()),
            "branch": words,
            **{split: (branches.get(branch) or {}).get(split) for split in SPLITS},
        }
        for branch, words in BRANCHES.items()
    ]


def _draw_gaps(width: float, records: Sequence[Record]) -> Figure:
    conditions = list(dict.fromkeys(r["condition"] for r in records))
    names = [shortened(name, 20) for name in conditions]
    figure = canvas(width, 0.3 + 0.55 + ROW * len(conditions))
    axes = placed(figure, left=min(label_room(names), 0.45 * width), right=0.15, top=0.3)
    colours = dict(zip(BRANCHES.values(), (COLOURS[0], COLOURS[1]), strict=True))
    for record in records:
        shift = -0.15 if record["branch"] == "non-emotional" else 0.15
        row, colour = conditions.index(record["condition"]) + shift, colours[record["branch"]]
        shown = [value for value in (record["train"], record["validation"], record["test"]) if known(value)]
        axes.plot([min(shown), max(shown)], [row, row], color=colour, lw=1.6)
        if known(record["train"]):
            axes.plot([record["train"]], [row], "|", ms=6, color=colour, mew=1.4)
        axes.plot([record["validation"]], [row], "o", ms=4.2, mfc="none", mec=colour, mew=1)
        axes.plot([record["test"]], [row], "o", ms=4.8, color=colour, mew=0)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="accuracy, %")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    handles = [axes.plot([], [], "o-", color=colour, ms=4.8, mew=0, label=name)[0] for name, colour in colours.items()]
    figure.legend(handles=handles, loc="upper left", ncols=2, handlelength=1.3, columnspacing=1.2, borderpad=0.1)
    return figure
