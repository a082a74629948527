"""Tables of a study's agreement: conditions, declared differences, the claim, networks among each other, profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from affekt.report import Table
from affekt.report.numbers import interval, number, probability, signed
from affekt.report.table import Column
from affekt.study.agreement.agreeing import Agreement
from affekt.study.agreement.among import Among
from affekt.study.agreement.pooling import Pooled
from affekt.study.agreement.topic import Topic

DIGITS = 3


def conditions_table(topic: Topic) -> Table:
    """A condition a row, a measure a column: mean over seeds and their standard deviation."""
    names = list(topic.measures[0].conditions) if topic.measures else []
    lines = [m.people for m in topic.measures]
    records: list[dict[str, Any]] = []
    if any(line is not None and line.value is not None for line in lines):
        records.append({"condition": "people"} | {m.name: m.people and m.people.value for m in topic.measures})
    for name in names:
        record: dict[str, Any] = {"condition": name}
        for m in topic.measures:
            one = m.conditions[name]
            record |= {m.name: one.value, f"{m.name} sd": one.sd, f"{m.name} low": one.low, f"{m.name} high": one.high}
        records.append(record)
    return Table(
        name=f"{topic.id}-conditions",
        caption="Mean over seeds ± standard deviation over seeds; intervals stand in the CSV.",
        records=records,
        columns=[Column("condition", lambda r: str(r["condition"]), numeric=False), *map(_column, topic.measures)],
    )


def _column(measure: Pooled) -> Column:
    def text(record: Any) -> str:
        value, sd = record.get(measure.name), record.get(f"{measure.name} sd")
        if value is None:
            return "" if record["condition"] == "people" else "undefined"
        return number(value, DIGITS) + ("" if sd is None else f" ± {number(sd, DIGITS)}")

    return Column(measure.title, text)


def pairs_table(name: str, measures: Sequence[Pooled], caption: str = "") -> Table | None:
    """The declared differences of some measures; None without any."""
    records = [
        {
            "measure": m.title,
            "difference": f"{pair.first} - {pair.second}",
            "value": pair.value,
            "low": pair.low,
            "high": pair.high,
            "p": pair.p,
            "p_holm": pair.p_holm,
            "better": pair.reason or m.favours(pair) or ("told apart" if pair.told else "cannot tell"),
        }
        for m in measures
        for pair in m.pairs
    ]
    if not records:
        return None
    said = "First less second, 95 % interval over seeds and stimuli; p adjusted over the declared comparisons (Holm)."
    return Table(
        name=name,
        caption=caption or said,
        records=records,
        columns=[
            Column("measure", lambda r: str(r["measure"]), numeric=False),
            Column("difference", lambda r: str(r["difference"]), numeric=False),
            *_difference_columns(),
            Column("better", lambda r: str(r["better"]), numeric=False),
        ],
    )


def _difference_columns() -> list[Column]:
    return [
        Column("", lambda r: signed(r["value"], DIGITS)),
        Column("95 % interval", lambda r: interval(r["low"], r["high"], DIGITS, sign=True)),
        Column("p (Holm)", lambda r: probability(r["p_holm"])),
    ]


def claim_table(found: Agreement) -> Table | None:
    """The method minus each rival, by accuracy and by closeness to people; None without rivals."""
    claim = found.claim
    if not claim.rows:
        return None
    return Table(
        name="claim",
        caption=f"{claim.method} less each rival. The sentence rests on {_deciding(found)}. {claim.rules}",
        records=[dict(vars(row)) for row in claim.rows],
        columns=[
            Column("measure", lambda r: str(r["measure"]), numeric=False),
            Column("rival", lambda r: str(r["rival"]), numeric=False),
            *_difference_columns(),
            Column(f"{claim.method} is", lambda r: str(r["verdict"]), numeric=False),
        ],
    )


def _deciding(found: Agreement) -> str:
    return " and ".join(dict.fromkeys(row.measure for row in found.claim.rows if row.decides))


def among_table(among: Among) -> Table:
    """Error consistency of every two conditions, a square."""
    short = {name: f"{k + 1}" for k, name in enumerate(among.conditions)}
    records: list[dict[str, Any]] = []
    for one in among.conditions:
        record: dict[str, Any] = {"condition": one}
        for other in among.conditions:
            kappa = among.of(one, other)
            record[other] = None if kappa is None else kappa.value
        records.append(record)

    def column(name: str) -> Column:
        return Column(short[name], lambda r: number(r[name]))

    return Table(
        name="among",
        caption="Error consistency (kappa), mean over pairs of networks: of two conditions, and on the diagonal of the "
        "seeds of one. Columns are numbered as the rows; intervals stand in agreement.json.",
        records=records,
        columns=[
            Column("condition", lambda r: f"{short[r['condition']]} {r['condition']}", numeric=False),
            *map(column, among.conditions),
        ],
    )
