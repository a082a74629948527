"""A study of ``affekt compare-humans``: all its networks, pooled over seeds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.cli.compare_table import said
from affekt.cli.data_reading import progress
from affekt.cli.printing import say, write, write_json, write_table
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.humans.comparison.model import People
    from affekt.report import Table
    from affekt.study.agreement import Agreement


def study_named(args: argparse.Namespace) -> Path | None:
    """The folder of the study that the words name; None where they name models.

    Raises:
        UsageError: a study beside others, or options that are for the other of the two.
    """
    from affekt.study.agreement import is_study

    studies = [path for text in args.models if is_study(path := Path(text).expanduser())]
    if studies and len(args.models) > 1:
        raise UsageError(f"{studies[0]}: a study is compared by itself; name it alone, or the folders of its runs")
    if not studies:
        if args.manipulate:
            raise UsageError("--manipulate: is for a study, whose test pictures are shown again; name a study's folder")
        return None
    if args.limit is not None and not args.manipulate:
        raise UsageError("--limit: of the manipulated pictures; write what is done to them: --manipulate eyes mouth")
    for name in ("split", "stimuli", "layers", "answers"):
        if getattr(args, name) not in (None, (), []):
            raise UsageError(f"--{name}: is not for a study, which is compared on the pictures that it tested on")
    return studies[0]


def run_study(
    args: argparse.Namespace, study: Path, people: People, *, out: Path, root: Path | None, command: str
) -> None:
    """Compare a study with people; table or JSON on stdout, the report in a folder."""
    from affekt.study.agreement import agree, parse_manipulations, profiles, read_networks, to_json
    from affekt.study.agreement.report import write_agreement

    asked = parse_manipulations(args.manipulate or [])
    networks = read_networks(study)
    with progress("networks") as step:
        made = profiles(
            networks, asked, resamples=args.resamples, seed=args.seed, limit=args.limit, data_root=root, step=step
        )
    found = agree(networks, people, resamples=args.resamples, seed=args.seed, profiles=made)
    report = write_agreement(found, out, command=command, citation=_citation(people.name))[0]
    if args.table is not None:
        _write_table(args.table, found)
    if args.json:
        write_json(to_json(found))
    else:
        _print(found)
    say(*said(found.cautions, found.notes), f"report: {report}")


def _write_table(path: Path, found: Agreement) -> None:
    """Every answer, a network's with its condition and seed; people's have none."""
    from affekt.humans.comparison.long_table import answer_rows
    from affekt.humans.people import write_table as write_rows
    from affekt.study.agreement import run_name

    answers, notes = answer_rows(found.comparison)
    runs = {run_name(run): run for run in found.networks.probabilities}
    nobody = ("", None)
    rows = (
        row | dict(zip(("network", "seed"), runs.get(str(row["observer"]), nobody), strict=True)) for row in answers
    )
    say(f"{path}: {write_rows(path, rows):,} rows", *(f"note: {note}" for note in notes))


def _citation(name: str) -> str:
    from affekt.cli.compared_stimuli import READERS
    from affekt.data import dataset

    return dataset(READERS[name][0]).citation if name in READERS else ""


def _print(found: Agreement) -> None:
    from affekt.study.agreement.report.tables import claim_table, conditions_table, pairs_table

    write(found.claim.sentence)
    _table("The claim", claim_table(found))
    for topic in found.topics:
        stimuli = f"{topic.stimuli:,} stimuli" + ("; people simulated from votes" if topic.simulated else "")
        _table(f"{topic.title} ({stimuli})", conditions_table(topic))
    if found.profiles:
        _table("Accuracy under manipulations, cost", _profiles(found))
        _table("Differences of cost", pairs_table("profiles", [one.cost for one in found.profiles]))


def _profiles(found: Agreement) -> Table:
    from affekt.report.numbers import number
    from affekt.report.table import Column, Table

    names = [f"{one.manipulation} {one.strength:g}" for one in found.profiles]
    records = [
        {"condition": condition}
        | {
            name: f"{number(one.accuracy.conditions[condition].value, 3)}, "
            f"{number(one.cost.conditions[condition].value, 3)}"
            for name, one in zip(names, found.profiles, strict=True)
        }
        for condition in found.networks.conditions
    ]

    def column(name: str) -> Column:
        return Column(name, lambda r: str(r[name]))

    return Table(
        name="profiles", caption="", records=records, columns=[column("condition"), *(column(name) for name in names)]
    )


def _table(title: str, table: Table | None) -> None:
    if table is None or not table.records:
        return
    write(f"\n{title}")
    write_table([column.title for column in table.columns], table.cells)
