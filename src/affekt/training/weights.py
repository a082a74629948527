"""Weights over time: those of every step, into the log and out of it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from affekt.errors import DataError

DIGITS = 6
"""Of a weight in the log."""


def weights_record(names: Sequence[str], weights: Tensor) -> dict[str, Any]:
    """What a log line says of the weights of its steps: ``"weights"``, those of its last step by task and, where they
    change, ``"weights_of_steps"``, those of each step; nothing without weights.

    Args:
        names: of the tasks.
        weights: ``(T, n)`` of the steps.
    """
    if not names:
        return {}
    last = dict(zip(names, weights[-1].tolist(), strict=True))
    if bool((weights == weights[0]).all()):
        return {"weights": last}
    columns = weights.T.tolist()
    every = {name: [float(f"{w:.{DIGITS}g}") for w in column] for name, column in zip(names, columns, strict=True)}
    return {"weights": last, "weights_of_steps": every}


@dataclass(frozen=True, kw_only=True)
class WeightsOverTime:
    """The weights of a run.

    Attributes:
        tasks: the names of the losses.
        steps: ``(T,)`` from 1.
        weights: ``(T, n)``, those that each step was made with.
    """

    tasks: tuple[str, ...]
    steps: NDArray[np.int64]
    weights: NDArray[np.float64]


def read_weights(run: Path | str) -> WeightsOverTime | None:
    """The weights of every step of a run, from its ``log.jsonl``; None where it has none.

    Raises:
        DataError: there is no log, or it is damaged.
    """
    path = Path(run) / "log.jsonl"
    tasks: tuple[str, ...] = ()
    steps: list[int] = []
    rows: list[list[float]] = []
    done = 0
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["kind"] != "train":
                continue
            before, done = done, int(record["step"])
            if "weights" not in record:
                continue
            tasks = tuple(record["weights"])
            here = record.get("weights_of_steps") or {t: [w] * (done - before) for t, w in record["weights"].items()}
            found = [list(row) for row in zip(*(here[task] for task in tasks), strict=True)]
            rows += found
            steps += range(done - len(found) + 1, done + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged: {error}") from None
    if not tasks:
        return None
    return WeightsOverTime(tasks=tasks, steps=np.array(steps), weights=np.array(rows))
