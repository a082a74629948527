"""Tables of a study of clips: conditions by task, declared comparisons, joint losses, speakers, and the leak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from affekt.report.numbers import NONE, count, interval, known, number, probability, short_count, signed
from affekt.report.table import Column, Record, Table
from affekt.study.clips.report.given import given_table
from affekt.study.clips.report.naming import on_what, shown
from affekt.study.content import Comparison


def clip_tables(comparison: Comparison) -> list[Table]:
    """All of them; those without a record are left out."""
    every = (
        conditions_table,
        comparisons_table,
        given_table,
        losses_table,
        recall_table,
        speakers_table,
        groups_table,
        leaks_table,
    )
    return [table for table in (make(comparison) for make in every) if table.records]


def rows(comparison: Comparison) -> list[tuple[Comparison, str, Comparison]]:
    """Condition, task, and what the condition's runs did on it; by task, then in the order of the conditions."""
    every = comparison.get("conditions") or ()
    return [(c, task, c["tasks"][task]) for task in comparison.get("tasks") or () for c in every if task in c["tasks"]]


def conditions_table(comparison: Comparison) -> Table:
    """A row a task and condition: average recall with its interval and its spread over seeds, and the other scores."""
    return Table(
        name="conditions",
        caption=f"Unweighted average recall (UAR, percent) of each task on {on_what(comparison)}, mean over seeds, "
        "its 95 % interval over seeds and speakers, and its standard deviation over seeds; accuracy in percent, NLL "
        "in nats. (leaks): tested on speakers that were learned from; no evidence.",
        records=[_condition(*row) for row in rows(comparison)],
        columns=(
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Seeds", lambda r: str(len(r["seeds"]))),
            Column("UAR, %", lambda r: number(r["uar"], 1)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 1)),
            Column("SD over seeds", lambda r: number(r["sd"], 1)),
            Column("Accuracy, %", lambda r: number(r["accuracy"], 1)),
            Column("NLL", lambda r: number(r["nll"], 3)),
            Column("Parameters", lambda r: short_count(r["parameters"])),
            Column("Seconds a run", lambda r: count(r["seconds"])),
        ),
    )


def _condition(condition: Comparison, task: str, found: Comparison) -> Record:
    seconds = [s for s in condition.get("seconds") or () if known(s)]
    return {
        "task": task,
        "condition": shown(condition),
        "seeds": list(condition["seeds"]),
        "uar": found["uar"]["mean"],
        "low": found["uar"]["low"],
        "high": found["uar"]["high"],
        "sd": found["uar"]["sd"],
        "uar_each": list(found["uar"]["each"]),
        "accuracy": found["accuracy"]["mean"],
        "nll": found["nll"]["mean"],
        "parameters": (condition.get("parameters") or {}).get("trainable"),
        "seconds": sum(seconds) / len(seconds) if seconds else None,
    }


def comparisons_table(comparison: Comparison) -> Table:
    """A row a declared comparison and task, in absolute points of average recall."""
    tests = ("p", "p_holm", "p_equivalent", "adjusted_low", "adjusted_high", "verdict")
    keys = ("estimate", "low", "high", *tests, "smallest", "from_seeds", "from_speakers")
    margin = comparison.get("margin")
    return Table(
        name="comparisons",
        caption=f"Declared comparisons, first minus second in absolute points of UAR, on {on_what(comparison)}. "
        "Intervals are of 95 % over seeds and speakers; p (Holm) is adjusted for all rows together; the smallest "
        "detectable difference is what a study like this finds four times in five, adjusted for all rows."
        + (f" Margin of equivalence: {margin:g} points." if known(margin) else ""),
        records=[
            {"comparison": c["name"], "task": c["task"], "seeds": list(c.get("seeds") or ())}
            | {key: c.get(key) for key in keys}
            | {"each": list(c.get("each") or ())}
            for c in comparison.get("comparisons") or ()
        ],
        columns=(
            Column("Comparison", lambda r: r["comparison"], numeric=False),
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Seeds", lambda r: str(len(r["seeds"]))),
            Column("Difference", lambda r: signed(r["estimate"], 1)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 1, sign=True)),
            Column("p", lambda r: probability(r["p"])),
            Column("p (Holm)", lambda r: probability(r["p_holm"])),
            Column("Verdict", lambda r: r["verdict"] or NONE, numeric=False),
            Column("Smallest detectable", lambda r: number(r["smallest"], 1)),
        ),
    )


def losses_table(comparison: Comparison) -> Table:
    """A row a condition: each task's own log-loss, unweighted, their sum, and Delta_p; none of a single task."""
    tasks = list(comparison.get("tasks") or ())
    return Table(
        name="joint-losses",
        caption=f"The unweighted NLL of each task on {on_what(comparison)}, mean over seeds, and their sum. The loss "
        "that a network descended on is not shown: it is in weights of its own and says nothing beside another's. "
        "Delta_p: mean relative change of the losses against the networks that learn one task alone; above 0 is "
        "better.",
        records=[_losses(c, tasks) for c in comparison.get("conditions") or () if len(tasks) > 1],
        columns=(
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Seeds", lambda r: str(r["seeds"])),
            *(Column(f"NLL, {task}", _value(f"nll {task}", 3)) for task in tasks),
            Column("Sum", _value("sum", 3)),
            Column("Delta_p, %", lambda r: signed(r["delta_p"], 1)),
        ),
    )


def _losses(condition: Comparison, tasks: Sequence[str]) -> Record:
    of = condition["tasks"]
    return {
        "condition": shown(condition),
        "seeds": len(condition["seeds"]),
        **{f"nll {task}": of[task]["nll"]["mean"] if task in of else None for task in tasks},
        "sum": (condition.get("nll_sum") or {}).get("mean"),
        "delta_p": condition.get("delta_p"),
        "delta_p_seeds": condition.get("delta_p_seeds"),
    }


def _value(key: str, digits: int) -> Any:
    return lambda record: number(record[key], digits)


def recall_table(comparison: Comparison) -> Table:
    """A row a condition and class: the share of the class's clips that is found."""
    found = rows(comparison)
    names = [c["name"] for c in comparison.get("conditions") or ()]
    classes = [(task, name) for task, held in (comparison.get("tasks") or {}).items() for name in held["classes"]]
    by = {(c["name"], task): measures for c, task, measures in found}
    records = [
        {"task": task, "class": k, "n": comparison["tasks"][task]["of_class"][k]}
        | {name: by.get((name, task), {}).get("recall", {}).get(k) for name in names}
        for task, k in classes
    ]
    return Table(
        name="recall",
        caption=f"Recall of each class, percent, on {on_what(comparison)}, mean over seeds; n: clips of the class.",
        records=records,
        columns=(
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Class", lambda r: r["class"], numeric=False),
            Column("n", lambda r: count(r["n"])),
            *(Column(shown(c), _value(c["name"], 1)) for c in comparison.get("conditions") or ()),
        ),
    )


def speakers_table(comparison: Comparison) -> Table:
    """A row a task and speaker: average recall over this speaker's clips."""
    names = [c["name"] for c in comparison.get("conditions") or ()]
    by = {(c["name"], task): measures["speakers"] for c, task, measures in rows(comparison)}
    tasks = list(comparison.get("tasks") or ())
    speakers = list(dict.fromkeys(who for measures in by.values() for who in measures))
    records = [
        {"task": task, "speaker": who} | {name: by.get((name, task), {}).get(who) for name in names}
        for task in tasks
        for who in speakers
        if any(who in by.get((name, task), {}) for name in names)
    ]
    return Table(
        name="speakers",
        caption="Average recall, percent, over the clips of each speaker, mean over seeds; of a speaker with one "
        "class of a task (gender) the share of right answers.",
        records=records,
        columns=(
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Speaker", lambda r: r["speaker"], numeric=False),
            *(Column(shown(c), _value(c["name"], 1)) for c in comparison.get("conditions") or ()),
        ),
    )


def groups_table(comparison: Comparison) -> Table:
    """A row a condition, task and two groups of another label: average recall of each, and the difference."""
    leaky = {c["name"]: shown(c) for c in comparison.get("conditions") or ()}
    return Table(
        name="groups",
        caption=f"Average recall, percent, of a task over the clips of each group, on {on_what(comparison)}, mean over "
        "seeds; the difference in points with its 95 % interval over speakers, drawn within their groups (not over "
        "seeds: it is about these networks). No interval where one speaker stands for a group.",
        records=[
            {"condition": leaky.get(name, name), "task": task, "label": label, **record}
            for name, tasks in (comparison.get("groups") or {}).items()
            for task, labels in tasks.items()
            for label, found in labels.items()
            for record in _pairs(found)
        ],
        columns=(
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Label", lambda r: r["label"], numeric=False),
            Column("Groups (speakers)", lambda r: r["groups"], numeric=False),
            Column("UAR, %, first", lambda r: number(r["first"], 1)),
            Column("second", lambda r: number(r["second"], 1)),
            Column("Difference", lambda r: signed(r["estimate"], 1)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 1, sign=True)),
        ),
    )


def _pairs(found: Comparison) -> list[Record]:
    by = {group["name"]: group for group in found["groups"]}
    return [
        {
            "groups": " - ".join(f"{name} ({by[name]['speakers']})" for name in (d["first"], d["second"])),
            "first": by[d["first"]]["uar"]["estimate"],
            "second": by[d["second"]]["uar"]["estimate"],
            **d["uar"],
        }
        for d in found["differences"]
    ]


def leaks_table(comparison: Comparison) -> Table:
    """What a split that shares speakers would have claimed."""
    return Table(
        name="leak",
        caption="How much higher the same networks score where they have learned from the speakers that they are "
        "tested on, in points of UAR with a 95 % interval over seeds and speakers. It shows the split's error, not a "
        "method's merit: it is in no declared comparison and has no p.",
        records=[dict(leak) for leak in comparison.get("leaks") or ()],
        columns=(
            Column("Leaky condition", lambda r: r["condition"], numeric=False),
            Column("minus", lambda r: r["against"], numeric=False),
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Seeds", lambda r: str(r["n_seeds"])),
            Column("Points too many", lambda r: signed(r["estimate"], 1)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 1, sign=True)),
        ),
    )
