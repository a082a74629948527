"""Machines: what a step asks of one, what is known of its speed, and so how long a run would take there.

>>> from affekt.study.machines import read_machine, step_seconds  # doctest: +SKIP
"""

from affekt.study.machines.machine import Machine, read_machine, write_machine
from affekt.study.machines.predicting import step_seconds
from affekt.study.machines.work import Work, scoring_work, training_work

__all__ = ["Machine", "Work", "read_machine", "scoring_work", "step_seconds", "training_work", "write_machine"]
