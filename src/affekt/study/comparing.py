"""Comparing: finished runs of a study -> comparison.json: conditions, declared comparisons, attribution, verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from affekt.errors import RecipeError
from affekt.recipe import StudySettings
from affekt.study.conditions import CONTROLS
from affekt.study.declaring import read_comparisons
from affekt.study.points import ALPHA, POINT, Json, common_seeds, compared, paired, percent, points, spread
from affekt.study.results import Record
from affekt.study.scores import PERMUTED, RunScores, Scores
from affekt.study.statistics import (
    CHAIN,
    PRETRAINED_CHAIN,
    RULES,
    Attribution,
    Comparison,
    Difference,
    Resampled,
    attribute,
    compare,
    mcnemar,
    resample,
    seeds_needed,
)


def declared_comparisons(settings: StudySettings, conditions: Sequence[str]) -> list[tuple[str, str]]:
    """``(first, second)`` of each comparison: the recipe's, or the method minus the reference and every control.

    Raises:
        RecipeError: not written as ``first - second``, or of a condition that the study does not run.
    """
    if not settings.comparisons:
        others = [name for name in (settings.reference, *CONTROLS) if name in conditions and name != settings.method]
        return [(settings.method, other) for other in others if settings.method in conditions]
    return read_comparisons(settings.comparisons, [*conditions, settings.method + PERMUTED])


def declared_chain(settings: StudySettings) -> tuple[tuple[str, str], ...]:
    """The attribution's conditions, each with what it adds to the one before it; links of the usual chain that are left
    out add up.

    Raises:
        RecipeError: one condition, or one that stands in it twice.
    """
    if not settings.chain:
        return usual_chain(CHAIN, settings.method)
    if len(settings.chain) < 2 or len(set(settings.chain)) < len(settings.chain):
        raise RecipeError(f"[study] chain = {list(settings.chain)}: two or more different conditions are wanted")
    whole = PRETRAINED_CHAIN if "random-emotion" in settings.chain else CHAIN
    usual = [name for name, _ in usual_chain(whole, settings.method)]

    def adds(before: str, name: str) -> str:
        if before not in usual or name not in usual:
            return ""
        return ", ".join(word for _, word in whole[usual.index(before) + 1 : usual.index(name) + 1])

    first, *others = settings.chain
    return ((first, ""), *((name, adds(before, name)) for before, name in zip(settings.chain, others, strict=False)))


def usual_chain(whole: Sequence[tuple[str, str]], method: str) -> tuple[tuple[str, str], ...]:
    """A chain that ends in the study's method: at its last link, or where the method stands in it itself."""
    names = [name for name, _ in whole[:-1]]
    if method in names[1:]:
        return tuple(whole[: names.index(method) + 1])
    return (*whole[:-1], (method, whole[-1][1]))


def compare_study(
    scores: Scores | None,
    records: Sequence[Record],
    settings: StudySettings,
    conditions: Sequence[str],
    inapplicable: Collection[str] = (),
) -> Json:
    """Everything of comparison.json that follows from the runs; accuracies in percent, differences in points.

    Args:
        scores: of the finished runs; None: there are none.
        records: their lines.
        settings: what was declared.
        conditions: the study's, in order; one without a finished run is left out here.
        inapplicable: those that this study cannot have; a comparison with one of them is none, and costs nothing.
    """
    asked = declared_comparisons(settings, [*conditions, *inapplicable])
    declared = [pair for pair in asked if not {name.removesuffix(PERMUTED) for name in pair} & {*inapplicable}]
    if scores is None:
        return {"conditions": [], "comparisons": [], "attribution": None, "n_items": 0, "n_groups": 0}
    tables = {name: {seed: runs[seed].correct for seed in sorted(runs)} for name, runs in scores.runs.items()}
    for name, runs in scores.runs.items():
        permuted = {seed: values for seed in sorted(runs) if (values := runs[seed].permuted_correct) is not None}
        if name == settings.method and permuted:
            tables[name + PERMUTED] = permuted
    different = len(np.unique(scores.groups))
    groups = scores.groups if 1 < different < len(scores.groups) else None
    drawn = resample(tables, groups=groups, draws=settings.draws)
    order = [name for name in (*conditions, settings.method + PERMUTED) if name in drawn]
    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record["condition"], []).append(record)
    return {
        "n_items": len(scores.ids),
        "n_groups": next(iter(drawn.values())).groups,
        "unit": "pictures" if groups is None else "groups",
        "one_group": different == 1 < len(scores.ids),
        "conditions": [
            _condition(name, drawn[name], scores.runs.get(name, {}), by_name.get(name, [])) for name in order
        ],
        "comparisons": _comparisons(declared, drawn, scores, settings),
        "attribution": _attribution(drawn, declared_chain(settings)),
    }


def _condition(name: str, drawn: Resampled, runs: Mapping[int, RunScores], records: Sequence[Record]) -> Json:
    seeds = list(drawn.seeds)
    metrics: Json = {"accuracy": percent(drawn)}
    found: Json = {"name": name, "seeds": seeds, "metrics": metrics, "parameters": None, "flops": None, "seconds": []}
    if not runs:
        return found
    each = [runs[seed] for seed in seeds]
    metrics["nll"] = spread([run.nll for run in each])
    metrics["brier"] = spread([run.brier for run in each])
    metrics["ece"] = {**spread([run.ece for run in each]), "bias": float(np.mean([run.ece_bias for run in each]))}
    ordered = sorted(records, key=lambda record: seeds.index(record["seed"]))
    found |= {
        "parameters": ordered[0]["parameters"],
        "flops": ordered[0]["flops"],
        "seconds": [record["seconds"] for record in ordered],
        "class_accuracy": [_percent(x) for x in np.mean([run.class_accuracy for run in each], axis=0)],
        "branches": _mean_branches(each),
        "regulation": _mean_regulation([record["metrics"]["test"] for record in ordered]),
        "agreement": _percent(np.mean([r.agreement for r in each])) if each[0].agreement is not None else None,
    }
    return found


def _percent(share: Any) -> float | None:
    value = POINT * float(share)
    return value if np.isfinite(value) else None


def _mean_branches(each: Sequence[RunScores]) -> Json | None:
    if any(run.branches is None for run in each):
        return None
    found: Json = {}
    for run in each:
        for branch, splits in (run.branches or {}).items():
            for split, value in splits.items():
                found.setdefault(branch, {}).setdefault(split, []).append(value)
    return {
        branch: {split: None if None in values else POINT * float(np.mean(values)) for split, values in splits.items()}
        for branch, splits in found.items()
    }


def _mean_regulation(metrics: Sequence[Mapping[str, float | None]]) -> Json | None:
    """Means over seeds of r's mean, spread, saturation, rank correlations and means by class."""
    prefix = "regulation/"
    names = [name for name in metrics[0] if name.startswith(prefix)]
    if not names:
        return None
    found: Json = {"spearman": {}, "of": {}}
    for name in names:
        values = [m.get(name) for m in metrics]
        mean = None if None in values else float(np.mean([v for v in values if v is not None]))
        kind, _, rest = name.removeprefix(prefix).partition("/")
        if rest:
            found[kind][rest] = mean
        else:
            found[kind] = mean
    return found


def _comparisons(
    declared: Sequence[tuple[str, str]], drawn: Mapping[str, Resampled], scores: Scores, settings: StudySettings
) -> list[Json]:
    """Each declared comparison over the seeds that both have; one without such a seed is listed without numbers.

    Holm counts all that were declared, also those that cannot be made yet, so that no p falls when a run is missing.
    """
    made: dict[str, Difference] = {}
    for first, second in declared:
        if (found := paired(first, second, drawn)) is not None:
            made[f"{first} - {second}"] = found
    missing = len(declared) - len(made)
    tested = compare(made, margin=settings.margin / POINT, alpha=ALPHA, more=missing) if made else []
    by_name = {c.name: c for c in tested}
    out: list[Json] = []
    for first, second in declared:
        name = f"{first} - {second}"
        bare: Json = {"name": name, "first": first, "second": second}
        if name in by_name:
            seeds = common_seeds(first, second, drawn)
            bare |= _comparison(by_name[name], first, second, seeds, scores, settings, len(declared))
        out.append(bare)
    return out


def _comparison(
    c: Comparison,
    first: str,
    second: str,
    seeds: Sequence[int],
    scores: Scores,
    settings: StudySettings,
    family: int,
) -> Json:
    networks = [
        mcnemar(scores.runs[first][s].correct > 0.5, scores.runs[second][s].correct > 0.5)
        for s in seeds
        if all(s in scores.runs.get(n, {}) and scores.runs[n][s].of_one_network for n in (first, second))
    ]
    d = c.difference
    needed = seeds_needed(d, settings.margin / POINT, alpha=ALPHA / family) if d.seeds > 1 else None
    return {
        **compared(c, seeds, family=family, units="items"),
        "seeds_needed": {f"{settings.margin:g}": needed},
        "mcnemar": networks,
    }


def _attribution(drawn: Mapping[str, Resampled], chain: Sequence[tuple[str, str]]) -> Json | None:
    names = [name for name, _ in chain]
    there = [name for name in names if name in drawn]
    if len(there) < 2 or not set.intersection(*(set(drawn[name].seeds) for name in there)):
        return None
    found: Attribution = attribute(drawn, chain)
    return {
        "chain": names,
        "seeds": list(found.seeds),
        "missing": list(found.missing),
        "whole": _points(found.whole),
        "links": [
            {"first": link.first, "second": link.second, "adds": link.adds, "difference": _points(link.difference)}
            for link in found.links
        ],
    }


def _points(d: Difference | None) -> Json | None:
    return None if d is None else points(d)


def rules(settings: StudySettings) -> str:
    """The stated rules of the verdicts, with the study's numbers."""
    return RULES.format(alpha=ALPHA, margin=settings.margin) + " Margin in absolute percentage points."
