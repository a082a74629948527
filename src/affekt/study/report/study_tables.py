"""Tables of a study: its conditions, its declared comparisons, and the attribution, from comparison.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from affekt.errors import UsageError, unknown
from affekt.report.numbers import NONE, count, interval, known, number, probability, short_count, signed
from affekt.report.table import Column, Record, Table, as_csv, as_latex, as_markdown
from affekt.study.content import Comparison

Format = Literal["markdown", "latex", "csv"]

_WRITERS = {"markdown": as_markdown, "latex": as_latex, "csv": as_csv}


def tables(comparison: Comparison, format: str, *, only: str | None = None) -> str:
    """The tables of a study as text, for a paper or a spreadsheet.

    Args:
        comparison: the content of ``comparison.json``.
        format: ``"markdown"``, ``"latex"`` (with booktabs) or ``"csv"``.
        only: the name of one table (``"conditions"``, ``"comparisons"``, ``"attribution"``, ``"tuning"``). None: all, a
            blank line between two; in CSV a line with the table's name stands above each.

    Raises:
        UsageError: no such format or table.
    """
    if format not in _WRITERS:
        raise UsageError(unknown("format", format, _WRITERS))
    write = _WRITERS[format]
    found = {table.name: table for table in study_tables(comparison)}
    if only is not None:
        if only not in found:
            raise UsageError(unknown("table", only, found))
        return write(found[only])
    named = {name: f"{name}\n" if format == "csv" else "" for name in found}
    return "\n".join(named[name] + write(table) for name, table in found.items())


def study_tables(comparison: Comparison) -> list[Table]:
    """Conditions, comparisons and attribution; those without a record are left out. Of clips: those of such a study."""
    if comparison.get("kind") == "clips":
        from affekt.study.clips.report import clip_tables

        return clip_tables(comparison)
    every = (conditions_table, comparisons_table, attribution_table, tuning_table)
    return [table for table in (make(comparison) for make in every) if table.records]


def items(comparison: Comparison) -> str:
    """``10,000 test pictures``, with the number of groups where they are drawn as groups."""
    n, groups = comparison.get("n_items"), comparison.get("n_groups")
    words = f"{count(n)} test {comparison.get('unit') or 'pictures'}"
    return words if not known(groups) or groups == n else f"{words} in {count(groups)} groups"


def metric(condition: Comparison, name: str) -> Mapping[str, Any]:
    """Mean, interval and each seed of one metric; empty where there is none."""
    return (condition.get("metrics") or {}).get(name) or {}


def conditions_table(comparison: Comparison) -> Table:
    """A row a condition: accuracy (percent) with its interval, the other scores, and what it cost."""
    return Table(
        name="conditions",
        caption=f"Every condition, mean over its seeds on {items(comparison)}; accuracy in percent with its 95 % "
        "interval over seeds and items, NLL in nats, Brier score from 0 to 2, calibration error (ECE) with its bias in "
        "brackets; FLOPs of training and pre-training, seconds a run.",
        records=[_condition(c) for c in comparison.get("conditions") or ()],
        columns=(
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Seeds", lambda r: str(len(r["seeds"]))),
            Column("Accuracy, %", lambda r: number(r["accuracy"])),
            Column("95 % interval", lambda r: interval(r["accuracy_low"], r["accuracy_high"])),
            Column("SD over seeds", lambda r: number(r["accuracy_sd"])),
            Column("NLL", lambda r: number(r["nll"], 3)),
            Column("Brier", lambda r: number(r["brier"], 3)),
            Column("ECE (bias)", lambda r: f"{number(r['ece'], 3)} ({number(r['ece_bias'], 3)})"),
            Column("Parameters that learn", lambda r: short_count(r["parameters_trainable"])),
            Column("all", lambda r: short_count(r["parameters_total"])),
            Column("FLOPs", lambda r: short_count(r["flops"])),
            Column("Seconds", lambda r: count(_mean(r["seconds"]))),
        ),
    )


def _condition(condition: Comparison) -> Record:
    accuracy, sizes = metric(condition, "accuracy"), condition.get("parameters") or {}
    flops = condition.get("flops") or {}
    return {
        "condition": str(condition.get("name", "")),
        "seeds": list(condition.get("seeds") or ()),
        "accuracy": accuracy.get("mean"),
        "accuracy_low": accuracy.get("low"),
        "accuracy_high": accuracy.get("high"),
        "accuracy_sd": accuracy.get("sd"),
        "accuracy_each": list(accuracy.get("each") or ()),
        "nll": metric(condition, "nll").get("mean"),
        "brier": metric(condition, "brier").get("mean"),
        "ece": metric(condition, "ece").get("mean"),
        "ece_bias": metric(condition, "ece").get("bias"),
        "parameters_trainable": sizes.get("trainable"),
        "parameters_total": sizes.get("total"),
        "flops_training": flops.get("training"),
        "flops_pretraining": flops.get("pretraining"),
        "flops": whole_flops(condition),
        "seconds": list(condition.get("seconds") or ()),
    }


def whole_flops(condition: Comparison) -> float | None:
    """FLOPs of training and pre-training together; None where the training's are not known."""
    flops = condition.get("flops") or {}
    return flops["training"] + (flops.get("pretraining") or 0) if known(flops.get("training")) else None


def _mean(values: list[Any]) -> float | None:
    there = [v for v in values if known(v)]
    return sum(there) / len(there) if there else None


def comparisons_table(comparison: Comparison) -> Table:
    """A row a declared comparison, in absolute points."""
    margin = comparison.get("margin")
    targets = list(dict.fromkeys(t for c in comparison.get("comparisons") or () for t in c.get("seeds_needed") or ()))
    return Table(
        name="comparisons",
        caption=f"Declared comparisons, first minus second in absolute points of accuracy, on {items(comparison)}. "
        "Intervals are of 95 % over seeds and items; p (Holm) is adjusted for all rows together; the smallest "
        "detectable difference is what a study like this finds four times in five, adjusted for all comparisons; seeds "
        "needed likewise." + (f" Margin of equivalence: {margin:g} points." if known(margin) else ""),
        records=[_comparison(c, targets) for c in comparison.get("comparisons") or ()],
        columns=(
            Column("Comparison", lambda r: r["comparison"], numeric=False),
            Column("Seeds", lambda r: str(len(r["seeds"]))),
            Column("Difference", lambda r: signed(r["estimate"])),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], sign=True)),
            Column("p", lambda r: probability(r["p"])),
            Column("p (Holm)", lambda r: probability(r["p_holm"])),
            Column("Interval, adjusted", lambda r: interval(r["adjusted_low"], r["adjusted_high"], sign=True)),
            Column("Verdict", lambda r: r["verdict"] or NONE, numeric=False),
            Column("Smallest detectable", lambda r: number(r["smallest"])),
            *(Column(f"Seeds for {t}", _needed(t)) for t in targets),
        ),
    )


def _needed(target: str) -> Any:
    return lambda record: str(record[f"seeds_needed_{target}"] or NONE)


def _comparison(comparison: Comparison, targets: list[str]) -> Record:
    needed = comparison.get("seeds_needed") or {}
    plain = ("estimate", "low", "high", "p", "p_holm", "p_equivalent", "adjusted_low", "adjusted_high", "verdict")
    return {
        "comparison": comparison_name(comparison),
        "first": comparison.get("first"),
        "second": comparison.get("second"),
        "seeds": list(comparison.get("seeds") or ()),
        **{key: comparison.get(key) for key in plain},
        "each": list(comparison.get("each") or ()),
        "from_seeds": comparison.get("from_seeds"),
        "from_items": comparison.get("from_items"),
        "smallest": comparison.get("smallest"),
        **{f"seeds_needed_{t}": _needed_text(needed, t, len(comparison.get("seeds") or ())) for t in targets},
        "mcnemar": list(comparison.get("mcnemar") or ()),
    }


def _needed_text(needed: Mapping[str, Any], target: str, seeds: int) -> str | None:
    """None where nothing was said; in words where one seed tells nothing of it, or no number of seeds would do."""
    if target not in needed:
        return None
    if needed[target] is not None:
        return str(needed[target])
    return "one seed cannot say" if seeds < 2 else "none would do"


def comparison_name(comparison: Comparison) -> str:
    return str(comparison.get("name") or f"{comparison.get('first')} - {comparison.get('second')}")


def attribution_table(comparison: Comparison) -> Table:
    """A row a link of the chain, the whole last; a link with a missing end has no numbers."""
    attribution = comparison.get("attribution") or {}
    links = list(attribution.get("links") or ())
    records = [_link(link["first"], link["second"], link.get("adds"), link.get("difference")) for link in links]
    if links:
        records.append(_link(links[0]["first"], links[-1]["second"], "the whole", attribution.get("whole")))
    seeds = len(attribution.get("seeds") or ())
    return Table(
        name="attribution",
        caption=f"The difference between the ends of the declared chain, link by link, in absolute points; n = {seeds} "
        f"{'seed' if seeds == 1 else 'seeds'} that all of its conditions have, {items(comparison)}. The order of the "
        "chain matters: another order would share the same whole out otherwise.",
        records=records,
        columns=(
            Column("From", lambda r: r["first"], numeric=False),
            Column("to", lambda r: r["second"], numeric=False),
            Column("adds", lambda r: r["adds"], numeric=False),
            Column("Difference", lambda r: signed(r["estimate"]) if known(r["estimate"]) else "missing"),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], sign=True)),
        ),
    )


def _link(first: str, second: str, adds: str | None, difference: Mapping[str, Any] | None) -> Record:
    held = difference or {}
    return {
        "first": first,
        "second": second,
        "adds": adds or "",
        **{key: held.get(key) for key in ("estimate", "low", "high")},
    }


def tuning_table(comparison: Comparison) -> Table:
    """A row a condition that tried the grid of learning rates; empty without a grid."""
    tuning = comparison.get("tuning") or {}
    rates = list(tuning.get("rates") or ())
    edge = " A rate at the edge of the grid (*) might be beaten by one beyond it."
    return Table(
        name="tuning",
        caption="Accuracy on validation, percent, with each learning rate; one seed that no run of the study has "
        f"(n = 1). No test picture was looked at.{edge}",
        records=[_tuned(name, held, rates) for name, held in (tuning.get("conditions") or {}).items()],
        columns=(
            Column("Condition", lambda r: r["condition"], numeric=False),
            *(Column(f"{rate:g}", _score_of(rate)) for rate in rates),
            Column("Chosen", lambda r: f"{r['chosen']:g}{'*' if r['edge'] else ''}"),
        ),
    )


def _score_of(rate: float) -> Any:
    return lambda record: number(record[f"rate_{rate:g}"]) if known(record[f"rate_{rate:g}"]) else "failed"


def _tuned(name: str, held: Mapping[str, Any], rates: list[float]) -> Record:
    scores = {f"rate_{rate:g}": score for rate, score in zip(rates, held["scores"], strict=True)}
    percent = {key: None if value is None else 100 * value for key, value in scores.items()}
    return {"condition": name, **percent, "chosen": held["chosen"], "edge": held["edge"]}
