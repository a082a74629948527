"""Ratings: each model's numbers against people's means of one dimension, with the noise ceiling above them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from affekt.errors import DataError
from affekt.humans.agreement import (
    Bootstrap,
    Ceiling,
    Estimate,
    RatingAgreement,
    bootstrap,
    from_spread,
    leave_one_out,
    rating_agreement,
    split_half,
)
from affekt.humans.comparison.measures import Line, Measure, changed, line, measure
from affekt.humans.comparison.parts import Differing, Part, Scatter, largest
from affekt.humans.comparison.valence import Numbers
from affekt.humans.people import Ratings
from affekt.report.numbers import counted, number

Floats = NDArray[np.float64]


def rating_part(
    dimension: str,
    people: Ratings,
    rows: NDArray[np.int64],
    models: Mapping[str, Numbers],
    *,
    resamples: int,
    seed: int,
    choices: bool = False,
) -> tuple[Part, list[Differing]]:
    """One dimension.

    Args:
        rows: ``(M,)`` of people's stimuli that the models' numbers belong to.
        models: numbers of those stimuli.
        choices: whether people's numbers are counted choices of categories.

    Raises:
        DataError: fewer than three stimuli, or two groups, that people and all models have; ratings outside the scale.
    """
    held = _rated_by_all(dimension, people, rows, models)
    kept = rows[held]
    truth = people.scale.check(people.means[dimension][kept], f"{people.name}: {dimension}")
    values = {name: m.values[held] for name, m in models.items()}
    shared = bootstrap(len(kept), groups=people.groups[kept], resamples=resamples, seed=seed)
    ceiling, ceiling_notes = _ceiling(people, dimension, kept, shared)
    agreement = _without_units(rating_agreement(values, truth, shared), models)
    part = Part(
        id=f"rating-{dimension}",
        title=f"{dimension}, from choices" if choices else dimension,
        lead=_lead(people, dimension, choices),
        stimuli=len(kept),
        units=shared.units,
        models=tuple(models),
        measures=_measures(agreement, ceiling, truth),
        scatter=Scatter(
            what=dimension,
            people=truth,
            models=values,
            scale=people.scale,
            units=tuple(name for name, m in models.items() if not m.no_units),
        ),
        notes=[*_notes(models, len(rows) - len(kept)), *ceiling_notes],
    )
    return part, _differing(part, people.ids[kept], truth, values, models)


def _rated_by_all(
    dimension: str, people: Ratings, rows: NDArray[np.int64], models: Mapping[str, Numbers]
) -> NDArray[np.bool_]:
    """``(M,)``: which of the stimuli people and all models have rated.

    Raises:
        DataError: fewer than three, or of one group.
    """
    numbers = [people.means[dimension][rows], *(m.values for m in models.values())]
    held = np.all(np.isfinite(numbers), axis=0)
    if held.sum() < 3:
        each = zip(["people", *models], numbers, strict=True)
        have = ", ".join(f"{who} {int(np.isfinite(values).sum())}" for who, values in each)
        raise DataError(
            f"{people.name}: {dimension}: of {len(rows)} common stimuli people and all models have rated "
            f"{int(held.sum())} ({have}), and a correlation needs 3: give the same ids, or leave out who has few"
        )
    if len(np.unique(people.groups[rows[held]])) < 2:
        raise DataError(
            f"{people.name}: {dimension}: all {int(held.sum())} stimuli are of one group, which says nothing of others"
        )
    return np.asarray(held)


def _lead(people: Ratings, dimension: str, choices: bool) -> str:
    if choices:
        return (
            "Valence from choices: that of a positive emotion counts 1, of a neutral one 0, of a negative one −1; "
            "surprise is not counted. A model's categories are put the same way."
        )
    return f"Each model's {dimension} against people's mean rating, {people.scale.low:g} to {people.scale.high:g}."


def _without_units(
    agreement: Mapping[str, RatingAgreement], models: Mapping[str, Numbers]
) -> dict[str, dict[str, Estimate]]:
    """Measure -> model -> estimate; distances of numbers without people's units are undefined, with the reason."""
    found: dict[str, dict[str, Estimate]] = {}
    for key in ("pearson", "spearman", "ccc", "rmse", "mae"):
        for name, one in agreement.items():
            reason = models[name].no_units if key in ("ccc", "rmse", "mae") else ""
            found.setdefault(key, {})[name] = changed(getattr(one, key), reason=reason)
    return found


def _measures(found: Mapping[str, Mapping[str, Estimate]], ceiling: Ceiling | Line, truth: Floats) -> list[Measure]:
    lines = _lines(ceiling, truth)
    return [
        measure("pearson", "Pearson's r", "correlation over stimuli, −1 to 1", found["pearson"], people=lines[0],
                chance=0.0),
        measure("spearman", "Spearman", "rank correlation, −1 to 1", found["spearman"], people=lines[1]),
        measure("ccc", "CCC", "concordance correlation, −1 to 1: 1 where the numbers are the same", found["ccc"],
                people=lines[2]),
        measure("rmse", "RMSE", "root mean squared distance, in units of the scale", found["rmse"], best="low",
                people=lines[3]),
        measure("mae", "MAE", "mean absolute distance, in units of the scale", found["mae"], best="low"),
    ]  # fmt: skip


def _lines(ceiling: Ceiling | Line, truth: Floats) -> list[Line]:
    """Noise ceilings of r, Spearman's correlation, CCC and RMSE, all from people's reliability.

    A model of the true means t has Var(t) = q Var(means): CCC = 2 q / (1 + q), RMSE = sqrt((1 - q) Var(means)). The
    rank correlation that goes with r is that of normal distributions, 6 / pi asin(r / 2) (Pearson 1907).
    """
    if isinstance(ceiling, Line):
        return [ceiling] * 4
    said = {"split-half": "halves of the raters", "leave-one-rater-out": "each rater and the others"}
    how = said.get(ceiling.method, "the spread of ratings")
    words = f"noise ceiling: a model of people's true means, by {how} ({number(ceiling.raters, 0)} raters a stimulus)"
    q = ceiling.reliability
    ranks = line(changed(ceiling.ceiling, lambda r: 6 / np.pi * np.arcsin(np.asarray(r) / 2)), words)
    ccc = line(changed(q, lambda v: 2 * np.maximum(v, 0) / (1 + np.maximum(v, 0))), words)
    floor = None if q.value is None else float(np.sqrt(max(0.0, 1 - q.value) * truth.var()))
    return [line(ceiling.ceiling, words), ranks, ccc, Line(value=floor, said=words, reason=q.reason)]


def _ceiling(
    people: Ratings, dimension: str, rows: NDArray[np.int64], shared: Bootstrap
) -> tuple[Ceiling | Line, list[str]]:
    """People's reliability on these stimuli, by single ratings, else by their spread; or why there is none."""
    single = people.raters.get(dimension)
    try:
        if single is not None and len(single) > 1:
            table = single[:, rows]
            table = table[(~np.isnan(table)).any(axis=1)]
            one = leave_one_out(table, shared).correlation
            alone = f"One rater's ratings correlate {number(one.value if one else None)} with the mean of the others'."
            return split_half(table, shared, seed=shared.seed), [alone]
        if dimension in people.sds and dimension in people.counts:
            return _from_spread(people, dimension, rows, shared)
    except DataError as error:
        return Line(value=None, said="noise ceiling", reason=str(error)), [f"No noise ceiling: {error}"]
    why = "neither single ratings nor their standard deviation and number are known"
    return Line(value=None, said="noise ceiling", reason=why), [f"No noise ceiling: {why}."]


def _from_spread(
    people: Ratings, dimension: str, rows: NDArray[np.int64], shared: Bootstrap
) -> tuple[Ceiling, list[str]]:
    """Of the stimuli with a known spread: one rating alone has none.

    Raises:
        DataError: fewer than two stimuli or groups have one.
    """
    sds, counts = people.sds[dimension][rows], people.counts[dimension][rows]
    known = np.isfinite(sds) & (counts >= 2)
    kept, groups = rows[known], people.groups[rows[known]]
    if len(np.unique(groups)) < 2:
        raise DataError(f"{int(known.sum())} stimuli have two ratings or more")
    drawn = bootstrap(len(kept), groups=groups, resamples=shared.resamples, seed=shared.seed)
    left = len(rows) - len(kept)
    said = f"Noise ceiling without {counted(left, 'stimulus', 'stimuli')} that had one rating." if left else ""
    ceiling = from_spread(people.means[dimension][kept], sds[known], counts[known], drawn)
    return ceiling, [said] if said else []


def _notes(models: Mapping[str, Numbers], left: int) -> list[str]:
    notes = [m.assumed for m in models.values() if m.assumed]
    notes += [f"{m.no_units}: correlations alone." for m in models.values() if m.no_units]
    if left:
        notes.append(f"{counted(left, 'stimulus', 'stimuli')} left out that people or a model have not rated.")
    return notes


def _differing(
    part: Part, ids: NDArray[np.str_], truth: Floats, values: Mapping[str, Floats], models: Mapping[str, Numbers]
) -> list[Differing]:
    """By distance in units of the scale; numbers without units by that of their ranks."""
    found = []
    for name, v in values.items():
        ranked = bool(models[name].no_units)
        gap = np.abs(_ranks(v) - _ranks(truth)) if ranked else np.abs(v - truth)
        what = "distance of ranks, as a share of all stimuli" if ranked else "distance, in units of the scale"
        rows = largest(gap)
        found.append(
            Differing(
                model=name,
                part=part.id,
                what=what,
                stimuli=[(str(ids[i]), float(gap[i]), number(truth[i]), number(v[i])) for i in rows],
            )
        )
    return found


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray((rankdata(values) - 0.5) / len(values))
