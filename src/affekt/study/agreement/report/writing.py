"""Writing the agreement of a study into a folder of its own; ``agreement.json`` last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from affekt import __version__
from affekt.humans.comparison.report import check_folder
from affekt.report import Section, Table, draw, render, write_file
from affekt.report.numbers import counted
from affekt.report.table import as_csv
from affekt.study.agreement.agreeing import Agreement
from affekt.study.agreement.profiles import Profile
from affekt.study.agreement.record import to_json
from affekt.study.agreement.report.charts import pooled_chart
from affekt.study.agreement.report.tables import among_table, claim_table, conditions_table, pairs_table
from affekt.study.agreement.topic import Topic


def write_agreement(found: Agreement, folder: Path, *, command: str = "", citation: str = "") -> list[Path]:
    """Write page, record, figures (SVG) and tables (CSV). The same agreement gives the same bytes.

    Args:
        command: that makes it again.
        citation: of people's set.

    Returns:
        The files, the page first.

    Raises:
        UsageError: the folder holds something.
        AffektError: the folder cannot be written.
    """
    check_folder(folder)
    made = sections(found)
    figures, files = draw((chart for section in made for chart in section.charts), pdf=False)
    tables: list[Table] = [chart.table for section in made for chart in section.charts]
    tables += [table for section in made for table in section.tables]
    page = render(
        "affekt.study.agreement.report",
        "agreement.html",
        sections=made,
        figures=figures,
        title=f"{found.networks.recipe.name or found.networks.folder.name} and people ({found.people.name})",
        kicker=f"affekt compare-humans · {found.people.name}",
        sentence=found.claim.sentence,
        setting=_setting(found),
        cautions=found.cautions,
        command=command,
        notes=list(found.notes),
        name=found.people.name,
        licence=found.people.licence,
        citation=citation,
    )
    texts = {f"tables/{table.name}.csv": as_csv(table).encode() for table in tables}
    record = json.dumps(to_json(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    everything = {"report.html": page.encode()} | files | texts | {"agreement.json": record.encode()}
    return [write_file(folder / name, content) for name, content in everything.items()]


def sections(found: Agreement) -> list[Section]:
    """The claim, each topic, networks among each other, profiles."""
    claimed = claim_table(found)
    first = [Section(title="The claim", id="claim", tables=[claimed])] if claimed else []
    return [
        *first,
        *(_topic(topic) for topic in found.topics),
        Section(
            title="Networks among each other",
            id="among",
            lead="Whether they err on the same pictures, by the study's own labels.",
            tables=[among_table(found.among)],
        ),
        *([_profiles(found.profiles)] if found.profiles else []),
    ]


def _topic(topic: Topic) -> Section:
    differences = pairs_table(f"{topic.id}-differences", topic.measures)
    return Section(
        title=topic.title[:1].upper() + topic.title[1:],
        id=topic.id,
        lead=f"{topic.lead} {counted(topic.stimuli, 'stimulus', 'stimuli')}.",
        charts=[pooled_chart(topic.id, measure, topic.stimuli) for measure in topic.measures],
        tables=[conditions_table(topic), *([differences] if differences else [])],
        notes=[*([topic.simulated] if topic.simulated else []), *topic.notes],
    )


def _profiles(every: Sequence[Profile]) -> Section:
    differences = pairs_table(
        "profiles-differences",
        [one.cost for one in every],
        "First less second: how much more the manipulation costs the first. p adjusted over the declared comparisons "
        "of all manipulations (Holm).",
    )
    return Section(
        title="Profiles under manipulations",
        id="profiles",
        lead="Networks against networks alone: people voted on intact pictures.",
        charts=[pooled_chart("profiles", m, one.stimuli) for one in every for m in (one.accuracy, one.cost)],
        tables=[differences] if differences else [],
    )


def _setting(found: Agreement) -> str:
    networks = found.networks
    words = [
        counted(len(networks.conditions), "condition"),
        counted(len(networks.probabilities), "network"),
        f"{found.compared:,} stimuli",
        f"{found.resamples:,} resamples, seed {found.seed}",
        f"affekt {__version__}",
    ]
    return " · ".join(words)
