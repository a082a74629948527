"""Executor: submit(job) -> handle; what every place to run a job has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from affekt.study.jobs import Job
from affekt.study.working import Outcome


class Handle(Protocol):
    """A job that was handed over."""

    def outcome(self) -> Outcome | None:
        """What came of it; None while it is not done."""
        ...


class Executor(Protocol):
    """A place where jobs run."""

    slots: int
    """Jobs at once."""

    def look(self, jobs: Sequence[Job]) -> None:
        """Before the first of these jobs: whether the machines have what they read, as far as one can know.

        Raises:
            DataError: one has not; it and what it lacks.
        """
        ...

    def submit(self, job: Job) -> Handle:
        """Hand a job over; it may be done when this returns."""
        ...

    def close(self) -> None:
        """End what still runs, leaving it resumable."""
        ...
