"""Tables of a comparison: every part with people on top, the paired differences, the curves, and who has what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from affekt.humans.comparison.comparing import Comparison
from affekt.humans.comparison.measures import ALPHA, Measure
from affekt.humans.comparison.model import Model
from affekt.humans.comparison.parts import PEOPLE, Part
from affekt.humans.comparison.report.charts.measures import UNDEFINED, Row, in_words, line_in_words, rows_of, units
from affekt.humans.people import Left
from affekt.report import Column, Table
from affekt.report.numbers import NONE, interval, listed, probability, signed
from affekt.report.table import Record


def part_table(part: Part) -> Table:
    """A row an observer, a column a measure."""
    rows = {m.name: {row.name: row for row in rows_of(m)} for m in part.measures}
    with_people = any(m.people is not None for m in part.measures)
    observers = [PEOPLE, *part.models] if with_people else list(part.models)
    return Table(
        name=part.id,
        caption=f"Value and 95 % interval over {units(part)}; people on top: their ceiling, or what they have"
        f"{'; of RSA both bounds of the noise ceiling' if _bounds(part) else ''}.",
        records=[_record(name, rows) for name in observers],
        columns=(
            Column("", lambda r: str(r["observer"]), numeric=False),
            *(Column(m.title, partial(_cell, m)) for m in part.measures),
        ),
    )


def _bounds(part: Part) -> bool:
    return any(m.people is not None and m.people.bounds for m in part.measures)


def _record(observer: str, rows: dict[str, dict[str, Row]]) -> Record:
    record: dict[str, object] = {"observer": observer}
    for name, found in rows.items():
        row = found.get(observer)
        for end in ("value", "low", "high"):
            record[f"{name} {end}"] = None if row is None else getattr(row, end)
    return record


def _cell(measure: Measure, record: Record) -> str:
    value, low, high = (record[f"{measure.name} {end}"] for end in ("value", "low", "high"))
    if record["observer"] == PEOPLE and measure.people is not None and measure.people.bounds:
        return line_in_words(measure.people)
    if value is None and record["observer"] != PEOPLE:
        return UNDEFINED
    return in_words(Row(name="", value=value, low=low, high=high))


def pairs_table(part: Part) -> Table | None:
    """Every paired difference; None without one."""
    records = [
        {"measure": m.title, **vars(pair), "better": _better(m, pair.value)} for m in part.measures for pair in m.pairs
    ]
    if not records:
        return None
    return Table(
        name=f"{part.id}-pairs",
        caption=f"The first model less the second, on the same {units(part)}; p of no difference over other such "
        "stimuli, adjusted over the pairs of one measure (Holm). An interval is not adjusted. A large p is no sign of "
        "equality, and measures were not adjusted for each other.",
        records=records,
        columns=(
            Column("Measure", lambda r: r["measure"], numeric=False),
            Column("Models", lambda r: f"{r['first']} − {r['second']}", numeric=False),
            Column("Difference", lambda r: signed(r["value"], 3)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 3, sign=True)),
            Column("p", lambda r: probability(r["p"])),
            Column("p (Holm)", lambda r: probability(r["p_holm"])),
            Column("Nearer to people", _nearer, numeric=False),
        ),
    )


def _better(measure: Measure, difference: float | None) -> int | None:
    """1 where the first is better, -1 where the second is; 0 for neither, None where the sign does not say."""
    if difference is None or measure.best in ("zero", "none"):
        return None
    return (difference > 0) - (difference < 0) if measure.best == "high" else (difference < 0) - (difference > 0)


def _nearer(record: Record) -> str:
    if record["better"] is None:
        return NONE
    if record["p_holm"] is None or record["p_holm"] >= ALPHA or not record["better"]:
        return "cannot tell"
    return str(record["first"] if record["better"] > 0 else record["second"])


FITTED = {"threshold": "Threshold", "pse": "PSE", "slope": "Slope", "width": "Width", "lapse": "Lapse"}
"""Numbers of a fit and their titles."""


def curves_table(part: Part) -> Table | None:
    """Every number of the fits; None without curves."""
    if not part.curves:
        return None
    records = [_curve(c.manipulation, c.observer, c.fitted) for c in part.curves]
    return Table(
        name=f"{part.id}-thresholds",
        caption="Fits of psignifit 4: posterior mode and 95 % interval, in units of the strength. Threshold: halfway "
        "between the asymptotes; width: from 5 to 95 % of the way; slope: at the threshold, per unit of strength; PSE: "
        "where half of the answers are one way, of morphs alone. The intervals hold for these trials, or stimuli.",
        records=records,
        columns=(
            Column("Manipulation", lambda r: r["manipulation"] or "strength", numeric=False),
            Column("Observer", lambda r: r["observer"], numeric=False),
            *(Column(title, partial(_fitted, name)) for name, title in FITTED.items()),
            Column("Fit", lambda r: r["reason"] or "converged", numeric=False),
        ),
    )


def _curve(manipulation: str, observer: str, fitted: object) -> Record:
    record: dict[str, object] = {"manipulation": manipulation, "observer": observer}
    for name in FITTED:
        found = getattr(fitted, name)
        for end in ("value", "low", "high"):
            record[f"{name} {end}"] = None if found is None else getattr(found, end)
    return {**record, "reason": getattr(fitted, "reason", "")}


def _fitted(name: str, record: Record) -> str:
    value, low, high = (record[f"{name} {end}"] for end in ("value", "low", "high"))
    return in_words(Row(name="", value=value, low=low, high=high))


def joined_table(found: Comparison) -> Table:
    """Who has which stimuli, and what is left over."""
    joined = found.joined
    return Table(
        name="stimuli",
        caption=f"{len(joined):,} of people's {joined.total:,} stimuli were compared: those that every model has.",
        records=[
            {
                "model": model.name,
                "gives": _gives(model),
                "unseen": joined.unseen[model.name].count,
                "unseen_first": list(joined.unseen[model.name].examples),
                "unrated": joined.unrated[model.name].count,
                "unrated_first": list(joined.unrated[model.name].examples),
            }
            for model in found.models
        ],
        columns=(
            Column("Model", lambda r: r["model"], numeric=False),
            Column("Gives", lambda r: r["gives"], numeric=False),
            Column("Of people's stimuli, it has not seen", _left("unseen"), numeric=False),
            Column("Of its stimuli, people have not judged", _left("unrated"), numeric=False),
        ),
    )


def _gives(model: Model) -> str:
    what = {"answers": model.answers, "features": model.features, "layers": model.layers or None}
    return listed([word for word, known in what.items() if known is not None])


def _left(key: str) -> Callable[[Record], str]:
    return lambda record: str(Left(count=record[key], examples=tuple(record[f"{key}_first"])))
