"""Counting: what a study would compute with one thing changed; a question of the recipe, not of a machine."""

from __future__ import annotations

import math

from affekt.study.machines.changes import Change, candidates, changes
from affekt.study.machines.forecasting import Forecast, Shapes, Sizes
from affekt.study.machines.machine import Machine
from affekt.study.study_plan import StudyPlan

COUNTER = Machine(
    name="a second a FLOP",
    device="cpu",
    threads=1,
    precision="fp32",
    overhead=0.0,
    launch=0.0,
    bandwidth=math.inf,
    rates={"fp32": 1.0, "bf16": 1.0},
    decoding=math.inf,
    writing=math.inf,
    cores=1,
)
"""A machine on which nothing takes time but operations: its seconds are the FLOPs of a study."""


def changes_by_flops(planned: StudyPlan, *, sizes: Sizes, shapes: Shapes) -> list[Change]:
    """As :func:`~affekt.study.machines.changes.changes`, with shares of the FLOPs of all runs.

    What is computed as before, only sooner (another rounding, a larger batch), saves none and is not looked at.

    Raises:
        UsageError: a recipe about clips.
    """
    forecast = Forecast(machine=COUNTER, facts=planned.facts, sizes=sizes, shapes=shapes)
    return changes(planned, forecast, tried=[one for one in candidates(planned) if not one.sooner])
