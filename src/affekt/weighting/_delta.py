"""Delta_p: what a joint model gains or loses against one model for each task."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from affekt.errors import UsageError


def delta_p(
    joint: Mapping[str, float], single: Mapping[str, float], *, higher_is_better: Collection[str] | bool = False
) -> float:
    """Mean relative change against the single-task models; 0.1 is 10 % better on average, below 0 is worse.

    ``(1/n) sum_i (+-1) (J_i - S_i) / |S_i|``, the sign so that better is above 0 (Maninis et al. 2019,
    arXiv:1904.08918, who say percent). Only *unweighted* losses or metrics make sense here: a loss in a model's
    own weights cannot be held against that of another model.

    Args:
        joint: task -> loss or metric of the joint model.
        single: task -> the same of the model that learned this task alone.
        higher_is_better: the tasks of whose number more is better; True: all, False: none (losses).

    Raises:
        UsageError: other tasks here than there, none at all, or a single-task number of 0.
    """
    if joint.keys() != single.keys() or not joint:
        raise UsageError(
            f"delta_p: tasks {', '.join(joint) or 'none'} against {', '.join(single) or 'none'}; give the same ones"
        )
    zero = [task for task, value in single.items() if value == 0]
    if zero:
        raise UsageError(f"delta_p: the single-task model of {zero[0]} has 0; a relative change needs another number")
    higher = set(joint) if higher_is_better is True else set(higher_is_better or ())
    if not higher <= joint.keys():
        raise UsageError(f"delta_p: higher_is_better names {', '.join(sorted(higher - joint.keys()))}; no such task")
    changes = [(1 if task in higher else -1) * (joint[task] - single[task]) / abs(single[task]) for task in joint]
    return math.fsum(changes) / len(changes)
