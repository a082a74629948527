"""The page of a comparison: its opening, what may not be concluded, and a section for each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from affekt.errors import first
from affekt.humans.comparison.comparing import Comparison
from affekt.humans.comparison.layers import SELECTIVE
from affekt.humans.comparison.measures import ALPHA, Measure
from affekt.humans.comparison.parts import Differing, Part
from affekt.humans.comparison.report import charts
from affekt.humans.comparison.report.charts.measures import in_full, line_in_words, units
from affekt.humans.comparison.report.tables import curves_table, joined_table, pairs_table, part_table
from affekt.report import Chart, Gallery, Picture, PicturesById, Section, Table
from affekt.report.numbers import counted, interval, listed, number
from affekt.report.pictures import sources

TEMPLATE = "compare.html"
FEW = 20
"""Units below which intervals are too narrow."""


def sections(found: Comparison, pictures: PicturesById | None, note: str) -> list[Section]:
    """All sections between the opening and what it takes to do it again.

    Args:
        pictures: reads people's stimuli by id; None: they are named only.
        note: why they are not shown.
    """
    return [
        *(_section(part) for part in found.parts),
        *_differing(found, pictures, note),
        Section(title="Who has which stimuli", id="stimuli", tables=[joined_table(found)]),
    ]


def _section(part: Part) -> Section:
    further = (
        charts.scatter(part),
        charts.confusions(part),
        charts.calibration(part),
        charts.conditions(part),
        charts.curves(part),
    )
    tables = (part_table(part), pairs_table(part), curves_table(part))
    return Section(
        title=part.title[:1].upper() + part.title[1:],
        id=part.id,
        lead=f"{part.lead} {units(part)}.".strip(),
        charts=[*(charts.measure_chart(part, m) for m in _drawn(part)), *_there(*further)],
        tables=[table for table in tables if table is not None],
        notes=[*([part.simulated] if part.simulated else []), *part.notes],
    )


def _drawn(part: Part) -> Sequence[Measure]:
    """The measures that have a figure; counts of units stand in the table."""
    return part.measures[:1] if part.id == SELECTIVE else part.measures


def _there(*found: Chart | None) -> list[Chart]:
    return [chart for chart in found if chart is not None]


def _differing(found: Comparison, pictures: PicturesById | None, note: str) -> Iterator[Section]:
    """Of each part the stimuli on which people and each model differ most."""
    titles = {part.id: part.title for part in found.parts}
    there = [one for one in found.differing if one.stimuli]
    if not there:
        return
    shown = _sources(there, pictures)
    rows = [(f"{one.model}: {titles[one.part]} ({one.what})", _row(one, shown)) for one in there]
    yield Section(
        title="Where people and network differ most",
        id="differing",
        gallery=Gallery(
            lead=f"The largest distances: the distance, then what people and the model say. {note}",
            rows=rows,
            caption=f"At most {max(len(one.stimuli) for one in there)} stimuli of each model and part.",
            table=Table(name="differing", caption="The stimuli that differ most.", records=_records(there)),
        ),
    )


def _sources(there: Sequence[Differing], pictures: PicturesById | None) -> dict[str, str]:
    """A picture that stands in several rows is read once."""
    ids = list(dict.fromkeys(name for one in there for name, *_ in one.stimuli))
    return dict(zip(ids, sources(ids, pictures), strict=True))


def _row(one: Differing, shown: Mapping[str, str]) -> list[Picture]:
    return [
        Picture(id=name, value=number(gap), label=f"people {theirs}; model {own}", source=shown[name])
        for name, gap, theirs, own in one.stimuli
    ]


def _records(there: Sequence[Differing]) -> list[dict[str, object]]:
    return [
        {"model": one.model, "part": one.part, "id": name, "distance": gap, "people": theirs, "answer": own}
        for one in there
        for name, gap, theirs, own in one.stimuli
    ]


def title(found: Comparison) -> str:
    """``2 models and people's ratings of 180 stimuli (oasis)``."""
    what = {"ratings": "ratings", "votes": "votes on", "trials": "answers to"}[found.kind]
    of = " of" if found.kind == "ratings" else ""
    models = counted(len(found.models), "model")
    return f"{models} held against people’s {what}{of} {counted(len(found.joined), 'stimulus', 'stimuli')}"


def key(found: Comparison) -> list[dict[str, str]]:
    """Of each part the model that is nearest to people by the first measure that says who is, and people's line.

    Layers of models have no entry: the best of many rows is chosen by what it would be told of.
    """
    return [entry for part in found.parts if not part.layers and (entry := _key(part, headline(part))) is not None]


def headline(part: Part) -> Measure:
    """The first measure with a better and a worse."""
    return next((m for m in part.measures if m.best in ("high", "low")), part.measures[0])


def _key(part: Part, measure: Measure) -> dict[str, str] | None:
    values = {name: e.value for name, e in measure.models.items() if e.value is not None}
    if not values:
        return None
    best = (max if measure.best == "high" else min)(values, key=lambda name: values[name])
    low, high = measure.interval(best) or (None, None)
    # The largest of several numbers about chance is nobody's agreement.
    beyond = measure.chance is None or low is None or low > measure.chance
    line = measure.people
    word = "people" if line is None or not line.ceiling else "best possible" if measure.best == "low" else "ceiling"
    return {
        "name": f"{part.title}: {measure.title}",
        "model": best,
        "lead": _lead(measure, beyond=beyond),
        "value": in_full(values[best]),
        "interval": "" if low is None else interval(low, high),
        "open": _not_told_apart(measure, best),
        "people": f"{word} {line_in_words(line)}" if line_in_words(line) else "no line of people",
    }


def _lead(measure: Measure, *, beyond: bool) -> str:
    if len(measure.models) == 1:
        return "the only model" if measure.chance is None else "beyond chance" if beyond else "not beyond chance"
    return "nearest to people" if beyond else "nearest, but not beyond chance"


def _not_told_apart(measure: Measure, best: str) -> str:
    """The models that differ from the best by less than can be told."""
    near = [
        pair.second if pair.first == best else pair.first
        for pair in measure.pairs
        if best in (pair.first, pair.second) and (pair.p_holm is None or pair.p_holm >= ALPHA)
    ]
    return f"not told apart from {first(near, n=3)}" if near else ""


def cautions(found: Comparison) -> list[str]:
    """What may not be concluded, most important first."""
    return [*found.cautions, *_of_people(found), *_of_tests(found)]


def _of_people(found: Comparison) -> Iterator[str]:
    if found.simulated:
        yield (
            "How alike people err: there are votes and no single trials, so observers were simulated from them. No "
            "human ceiling is claimed from these, and they stand for intact stimuli only."
        )
    few = [part.title for part in found.parts if part.units < FEW]
    if few:
        yield f"Much about other stimuli in {listed(few)}: with fewer than {FEW} units intervals are too narrow."
    fewer = len(found.joined) < found.joined.total
    if fewer:
        yield (
            f"Anything about people's other stimuli: {len(found.joined):,} of {found.joined.total:,} were compared, "
            "those that every model has."
        )


def _of_tests(found: Comparison) -> Iterator[str]:
    if any(measure.pairs for part in found.parts for measure in part.measures):
        yield "That two models are equally near to people where p is large: “cannot tell” is not “no difference”."
        yield "That a small p stands out of all measures: it is adjusted over the pairs of one measure only."
    drawn = "only stimuli were drawn again"
    if any(measure.people is not None and measure.people.bounds for part in found.parts for measure in part.measures):
        drawn += ", and people for RSA alone"
    yield f"Anything about other people, or other training seeds of these models: {drawn}."
