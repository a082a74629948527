"""Slurm's options: what sbatch is to be asked for each job, from words as ``partition=gpu`` and ``time=04:00:00``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from affekt.errors import UsageError

CORES = ("cpus", "cpus-per-task")
OURS = ("gpus", "array", "output", "error", "job-name", "nodes", "ntasks", "ntasks-per-node")
"""What affekt says itself: a job is one run in one process."""

_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")


def slurm_parameters(words: Sequence[str]) -> dict[str, Any]:
    """For submitit's ``update_parameters``.

    Args:
        words: ``KEY=VALUE`` each; ``cpus`` and ``time`` are read, any other key is sbatch's own long option.

    Raises:
        UsageError: no ``KEY=VALUE``, no number of cores, no time, or what affekt says itself.
    """
    found: dict[str, Any] = {}
    others: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        key = key.strip().lstrip("-").replace("_", "-")
        value = value.strip()
        if not (equals and key and value):
            raise UsageError(f"--slurm {word}: KEY=VALUE was expected, e.g. partition=gpu")
        if key in OURS:
            raise UsageError(f"--slurm {word}: is affekt's own matter, a job a run (GPUs: --gpus 0)")
        if key in CORES:
            if not value.isdecimal() or int(value) < 1:
                raise UsageError(f"--slurm {word}: a whole number of cores, 1 or more, was expected")
            found["cpus_per_task"] = int(value)
        elif key == "time":
            found["timeout_min"] = minutes(value)
        else:
            others[key] = value
    return found | ({"slurm_additional_parameters": others} if others else {})


def minutes(text: str) -> int:
    """Of a time as slurm writes it, rounded up: ``M``, ``M:S``, ``H:M:S``, ``D-H``, ``D-H:M`` or ``D-H:M:S``.

    Raises:
        UsageError: it is none, or no time at all.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise UsageError(f"--slurm time={text}: hours:minutes:seconds was expected, e.g. 04:00:00")
    parts = [int(part) for part in match.groups()[1:] if part is not None]
    if match[1] is not None:
        h, m, s = (*parts, 0, 0)[:3]
    elif len(parts) == 3:
        h, m, s = parts
    else:
        h, (m, s) = 0, (*parts, 0)[:2]
    whole = -(-(((int(match[1] or 0) * 24 + h) * 60 + m) * 60 + s) // 60)
    if whole < 1:
        raise UsageError(f"--slurm time={text}: no time at all; e.g. 04:00:00")
    return whole
