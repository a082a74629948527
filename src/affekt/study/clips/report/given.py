"""Table of a study of clips: networks of sound and pictures, tested with one of the two missing."""

from __future__ import annotations

from affekt.report.numbers import interval, number, signed
from affekt.report.table import Column, Table
from affekt.study.clips.given import WORDS
from affekt.study.clips.report.naming import on_what, shown
from affekt.study.content import Comparison


def given_table(comparison: Comparison) -> Table:
    """A row a task, condition and modality that is left."""
    return Table(
        name="one-modality",
        caption="Networks that learned from sound and pictures, given one of the two at test, on "
        f"{on_what(comparison)}: UAR in percent, mean over seeds, its 95 % interval over seeds and speakers; and the "
        "difference from the same networks given both, in points.",
        records=[
            {
                "task": task,
                "condition": shown(condition),
                "given": f"{WORDS[word]} alone",
                "seeds": list(condition["seeds"]),
                "uar": found["uar"]["mean"],
                "low": found["uar"]["low"],
                "high": found["uar"]["high"],
                "sd": found["uar"]["sd"],
                "difference": found["difference"]["estimate"],
                "difference_low": found["difference"]["low"],
                "difference_high": found["difference"]["high"],
            }
            for task in comparison.get("tasks") or ()
            for condition in comparison.get("conditions") or ()
            for word, tasks in (condition.get("given") or {}).items()
            for found in ([tasks[task]] if task in tasks else [])
        ],
        columns=(
            Column("Task", lambda r: r["task"], numeric=False),
            Column("Condition", lambda r: r["condition"], numeric=False),
            Column("Given", lambda r: r["given"], numeric=False),
            Column("Seeds", lambda r: str(len(r["seeds"]))),
            Column("UAR, %", lambda r: number(r["uar"], 1)),
            Column("95 % interval", lambda r: interval(r["low"], r["high"], 1)),
            Column("SD over seeds", lambda r: number(r["sd"], 1)),
            Column("Minus both", lambda r: signed(r["difference"], 1)),
            Column("its 95 % interval", lambda r: interval(r["difference_low"], r["difference_high"], 1, sign=True)),
        ),
    )
