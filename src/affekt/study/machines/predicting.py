"""Predicting: seconds of a step from what it does and what the machine can, and the fit of the machine's constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from affekt.study.machines.machine import Machine
from affekt.study.machines.work import Floats, Work

START = {
    "cpu": {"overhead": 1e-3, "launch": 5e-6, "bandwidth": 1e10, "rate": 2e11},
    "cuda": {"overhead": 5e-4, "launch": 8e-6, "bandwidth": 1e12, "rate": 1e14},
}
"""Where the search begins: a core of a server, and a GPU of 2022."""

PULL = 0.01
"""Weight of staying there: it decides what the steps leave open, and nothing else."""

SPAN = 1e3
"""Factor, either way, within which the constants are sought."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A step that was timed.

    Attributes:
        network: whose step, for leaving it out.
        label: what, for people.
        items: of a batch.
    """

    network: str
    label: str
    precision: str
    items: int
    work: Work
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Of the model; see :func:`seconds_of`."""

    queues: bool
    overhead: float
    launch: float
    bandwidth: float
    rates: dict[str, float]


def step_seconds(work: Work, machine: Machine, precision: str = "auto") -> float:
    """Seconds that a step takes on a machine.

    Raises:
        UsageError: a precision that was not measured.
    """
    return seconds_of(
        work,
        queues=machine.queues,
        overhead=machine.overhead,
        launch=machine.launch,
        bandwidth=machine.bandwidth,
        rate=machine.rate(precision),
    )


def seconds_of(work: Work, *, queues: bool, overhead: float, launch: float, bandwidth: float, rate: float) -> float:
    """``overhead + launches + work`` where operations are waited for; where they queue, ``overhead + max(launches,
    work)``.

    An operation works for the longer of ``flops / rate`` and ``bytes / bandwidth`` (the roofline of Williams et al.
    2009): a processor computes and fetches at once. Operations wait for each other, so their times are added. A GPU
    takes them from a queue that the CPU fills meanwhile: whichever is slower sets the pace.
    """
    worked = float(np.maximum(work.flops / rate, work.moved / bandwidth).sum())
    asked = launch * work.launches
    return overhead + (max(asked, worked) if queues else asked + worked)


def fit(steps: Sequence[Measured], device: str) -> Constants:
    """The constants with the least squares of log(predicted / measured): a step half as long counts like one twice."""
    start, precisions = START[device], sorted({step.precision for step in steps})
    guess = np.log([start["overhead"], start["launch"], start["bandwidth"], *(start["rate"] for _ in precisions)])

    def constants(logs: Floats) -> Constants:
        overhead, launch, bandwidth, *rates = np.exp(logs).tolist()
        return Constants(
            queues=device != "cpu",
            overhead=overhead,
            launch=launch,
            bandwidth=bandwidth,
            rates=dict(zip(precisions, rates, strict=True)),
        )

    def off(logs: Floats) -> Floats:
        found = constants(logs)
        errors = np.log([predicted(step, found) / step.seconds for step in steps])
        return np.concatenate([errors, PULL * (logs - guess)])

    room = np.log(SPAN)
    # What computes and what fetches trade places as the search goes on: it begins at several balances.
    tries = [guess + np.log([1, 1, tilt, *(1 / tilt for _ in precisions)]) for tilt in (0.3, 1.0, 3.0)]
    found = [
        least_squares(off, one, bounds=(guess - room, guess + room), diff_step=[1e-4] * len(guess)) for one in tries
    ]
    return constants(min(found, key=lambda result: float(result.cost)).x)


def predicted(step: Measured, constants: Constants) -> float:
    """Seconds of a step by these constants."""
    return seconds_of(
        step.work,
        queues=constants.queues,
        overhead=constants.overhead,
        launch=constants.launch,
        bandwidth=constants.bandwidth,
        rate=constants.rates[step.precision],
    )


def left_out(steps: Sequence[Measured], device: str) -> list[float]:
    """Seconds of each step as predicted by a fit on the steps of all *other* networks; NaN where these tell nothing of
    its precision."""
    found: dict[str, Constants] = {}
    for name in {step.network for step in steps}:
        others = [step for step in steps if step.network != name]
        if others:
            found[name] = fit(others, device)
    return [_by(found.get(step.network), step) for step in steps]


def _by(constants: Constants | None, step: Measured) -> float:
    known = constants is not None and step.precision in constants.rates
    return predicted(step, constants) if constants is not None and known else math.nan


def typical_error(steps: Sequence[Measured], seconds: Sequence[float]) -> float:
    """Median of how far the predicted seconds are off, either way, as a share; those that are NaN do not count."""
    off = [abs(np.log(p / step.seconds)) for step, p in zip(steps, seconds, strict=True) if np.isfinite(p)]
    return float(np.exp(np.median(off)) - 1) if off else 0.0
