"""The table of joint losses: each task's own, unweighted, their sum, and Delta_p."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from affekt.report.numbers import known, number, signed
from affekt.report.table import Column, Record, Table
from affekt.study.content import Comparison
from affekt.study.report.joint import Joint, changes_of
from affekt.study.report.study_tables import items


def joint_table(comparison: Comparison, every: Sequence[Joint]) -> Table:
    """A row a condition with two losses or more."""
    tasks = list(dict.fromkeys(task for joint in every for losses in joint.losses.values() for task in losses))
    records = [_record(joint, every, tasks) for joint in every]
    compared = any(known(record["delta_p"]) for record in records)
    delta = (
        " Delta_p: mean relative change of the losses against the conditions that learn one task alone; above 0 is "
        "better."
    )
    return Table(
        name="joint-losses",
        caption=f"The unweighted loss of each task on {items(comparison)}, mean over seeds, and their sum; * marks the "
        "only one that was learned. The loss that a model descended on is not shown: it is in weights of its own and "
        "says nothing beside another's." + (delta if compared else ""),
        records=records,
        columns=(
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Seeds", lambda r: str(r["seeds"])),
            *(Column(task, _loss(task)) for task in tasks),
            Column("Sum", lambda r: number(r["sum"], 3)),
            *((Column("Delta_p, %", lambda r: signed(_percent(r["delta_p"]))),) if compared else ()),
        ),
    )


def _record(joint: Joint, every: Sequence[Joint], tasks: Sequence[str]) -> Record:
    sums = [sum(losses.values()) for losses in joint.losses.values()]
    return {
        "condition": joint.condition,
        "seeds": len(joint.losses),
        "alone": joint.alone,
        **{f"loss {task}": joint.mean(task) for task in tasks},
        "sum": float(np.mean(sums)),
        **changes_of(joint, every),
    }


def _loss(task: str) -> Any:
    return lambda record: number(record[f"loss {task}"], 3) + ("*" if record["alone"] == task else "")


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
