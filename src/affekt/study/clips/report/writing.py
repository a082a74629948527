"""Writing the report of a study of clips: page, figures and tables, from its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affekt.data.audiovisual.composed import meaning
from affekt.report import Chart, Section, Table, draw, render, write_file
from affekt.report.numbers import count, counted
from affekt.report.table import as_csv
from affekt.study.clips.report.charts import recall_chart
from affekt.study.clips.report.joint import read_clip_joints
from affekt.study.clips.report.naming import on_what
from affekt.study.clips.report.tables import clip_tables
from affekt.study.content import Comparison
from affekt.study.frame import read_comparison, what_they_are
from affekt.study.report.charts.joint import gradient_cosines, weights_over_time
from affekt.study.report.joint import Joint
from affekt.study.report.reading import environments


def write_clip_report(study: Path) -> list[Path]:
    """Write ``report.html``, ``figures/*.svg`` and ``.pdf``, and ``tables/*.csv`` into a study's folder.

    A study that is not finished has what there is so far, and says so on top. The same study gives the same bytes.

    Returns:
        The files, the page first.

    Raises:
        AffektError: no comparison there, a damaged one, or the folder cannot be written.
    """
    study = Path(study)
    comparison = read_comparison(study)
    runs = _runs(study, comparison)
    sound = {c["name"] for c in comparison["conditions"] if not c["leaky"]}
    joints, notes = read_clip_joints([run for run in runs if run[0] in sound and run[2].is_dir()])
    found = list(_sections(comparison, joints))
    charts = [chart for section in found for chart in section.charts]
    figures, files = draw(charts)
    page = render(
        "affekt.study.clips.report",
        "clips.html",
        sections=found,
        figures=figures,
        **_words(study, comparison, [folder for _, _, folder in runs], notes),
    )
    tables = [chart.table for chart in charts] + clip_tables(comparison)
    texts = {f"tables/{table.name}.csv": as_csv(table).encode() for table in tables}
    every = {"report.html": page.encode()} | files | texts
    return [write_file(study / name, content) for name, content in every.items()]


def _runs(study: Path, comparison: Comparison) -> list[tuple[str, int, Path]]:
    return [
        (c["name"], int(seed), study / "runs" / c["name"] / f"seed-{seed}")
        for c in comparison["conditions"]
        for seed in c["seeds"]
    ]


def _sections(comparison: Comparison, joints: Sequence[Joint]) -> Iterator[Section]:
    tables = {table.name: table for table in clip_tables(comparison)}
    yield Section(
        title="Every condition",
        id="conditions",
        lead="" if comparison["conditions"] else "No condition has a finished run yet.",
        charts=_there(recall_chart(comparison)),
        tables=_named(tables, "conditions"),
        notes=what_they_are(comparison),
    )
    yield Section(
        title="Declared comparisons",
        id="comparisons",
        lead="" if "comparisons" in tables else comparison["verdict"]["sentence"],
        tables=_named(tables, "comparisons"),
    )
    if "one-modality" in tables:
        yield Section(title="One of the two missing at test", id="given", tables=_named(tables, "one-modality"))
    charts = _there(
        weights_over_time(joints, over="seeds and folds"),
        gradient_cosines(joints, over="seeds and folds", unit="clips"),
    )
    if charts or "joint-losses" in tables:
        yield Section(title="Joint losses", id="losses", charts=charts, tables=_named(tables, "joint-losses"))
    yield Section(title="Classes and speakers", id="classes", tables=_named(tables, "recall", "speakers", "groups"))
    if "leak" in tables:
        yield Section(title="What a leaky split would have claimed", id="leak", tables=_named(tables, "leak"))


def _there(*found: Chart | None) -> list[Chart]:
    return [chart for chart in found if chart is not None]


def _named(tables: Mapping[str, Table], *names: str) -> list[Table]:
    return [tables[name] for name in names if name in tables]


def _words(study: Path, comparison: Comparison, runs: Sequence[Path], notes: Sequence[str]) -> dict[str, Any]:
    """What stands above and below the sections."""
    finished, declared = comparison["runs"]["finished"], comparison["runs"]["declared"]
    recipe = study / "recipe.toml"
    setting = [counted(len(comparison["conditions"]), "condition"), f"{count(finished)} of {count(declared)} runs"]
    return {
        "title": str(comparison.get("name") or study.name),
        "about": str(comparison.get("about") or ""),
        "progress": ""
        if finished >= declared
        else f"{finished} of {declared} runs finished. Every number below may still change.",
        "sentence": comparison["verdict"]["sentence"],
        "setting": " · ".join([*setting, on_what(comparison), f"affekt {comparison['affekt_version']}"]),
        "caveats": _caveats(comparison),
        "rules": comparison["verdict"]["rules"],
        "notes": [*comparison["notes"], *notes],
        "environments": environments(runs),
        "provenance": comparison["provenance"],
        "citation": comparison["citation"],
        "recipe": recipe.read_text(encoding="utf-8") if recipe.exists() else "",
    }


def _caveats(comparison: Comparison) -> list[str]:
    """What may not be concluded."""
    found = []
    if comparison.get("composed"):
        found.append(f"Anything about the world: the clips are {meaning(comparison['composed'])}.")
    speakers = int(comparison["n_groups"])
    if 0 < speakers < 20:
        found.append(
            f"Much about people: these are {counted(speakers, 'speaker')}, and every interval is as wide as so few "
            "make it."
        )
    leaky = [c["name"] for c in comparison["conditions"] if c["leaky"]]
    if leaky:
        found.append(
            f"Anything from {', '.join(leaky)}: its networks were tested on speakers that they had learned from."
        )
    if any(c.get("verdict") == "cannot tell" for c in comparison["comparisons"]):
        found.append("That there is no difference where it says “cannot tell”: it is not “no effect”.")
    if "gender" in (comparison.get("tasks") or {}):
        found.append(
            "Anything about gender: the label is the set's annotation of its speakers, two values given by others."
        )
    if any(len(c.get("seeds") or ()) == 1 for c in comparison["comparisons"]):
        found.append(
            "Anything about other seeds, where a comparison rests on one: its interval holds for other speakers with "
            "these very networks, not for the rules."
        )
    seeds = {seed for c in comparison["conditions"] for seed in c["seeds"]}
    found.append(f"Anything beyond this set, this network and this recipe: {counted(len(seeds), 'seed')}.")
    return found
