"""Stopwatch: the steps of a training timed from within, until enough of them are."""

from __future__ import annotations

import time

import numpy as np
import torch

from affekt.training.progress import NoProgress

WARM = {"cpu": 1, "cuda": 4}
"""Steps before the first that counts: they allocate and choose kernels."""

FEWEST, MOST = 2, 60
"""Steps that count."""


class Enough(Exception):  # noqa: N818 - no error
    """The way out of a training that was timed."""


class Stopwatch(NoProgress):
    """Times the steps of a training after the first few, and ends it when it has seen enough.

    On a CPU, whose steps end when they say so, the fastest counts: whatever else the machine does makes them longer;
    that of one thread by the seconds that it had a core, for the same reason. On a GPU, which is still at work when the
    CPU goes on, it is the mean of all, until the queue is empty.
    """

    def __init__(self, device: torch.device, seconds: float) -> None:
        self._device, self._seconds = device, seconds
        self._warm = WARM[device.type]
        self._clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
        self._steps = 0
        self._times: list[float] = []

    def advance(self, _items: int) -> None:
        """
        Raises:
            Enough: the time is up.
        """
        self._steps += 1
        if self._steps == self._warm:
            self._wait()
        if self._steps < self._warm:
            return
        self._times.append(self._clock())
        counted = len(self._times) - 1
        if counted >= MOST or (counted >= FEWEST and self._times[-1] - self._times[0] > self._seconds):
            self._wait()
            self._times.append(self._clock())
            raise Enough

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    @property
    def step(self) -> float:
        """Seconds of a step."""
        *steps, end = self._times
        if self._device.type == "cuda":
            return (end - steps[0]) / (len(steps) - 1)
        return float(np.diff(steps).min())
