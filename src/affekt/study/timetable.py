"""Timetable: which runs of a study wait, are at work, or have ended, and how long the rest will take."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from affekt.recipe import TrainingSettings
from affekt.study.costs import Cost
from affekt.study.jobs import Job
from affekt.study.working import Outcome

Status = Literal["done before", "waiting", "running", "finished", "failed"]

SHARED_KINDS = ("pretrain", "source")

TAIL = 4096
"""Bytes at the end of a log in which its last whole line lies."""


class Watch(Protocol):
    """Whoever wants to know how a study goes."""

    def begin(self, timetable: Timetable) -> None:
        """Before the first job."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job is finished, or has failed for good; the timetable knows already."""

    def stop(self) -> None:
        """The end, good or bad."""


@dataclass(kw_only=True)
class Timetable:
    """All jobs of a study and the state of each.

    Time left is a sum over what is still to do: a job takes as long as the others of its kind did; where none of its
    kind has ended yet, as long as its FLOPs took elsewhere in this call.

    Args:
        study: folder of the study.
        jobs: all, finished ones included.
        todo: folders of those that this call is to do.
        costs: condition -> cost of one run.
        slots: jobs at once.
    """

    study: Path
    jobs: tuple[Job, ...]
    todo: frozenset[str]
    costs: Mapping[str, Cost]
    slots: int
    clock: Callable[[], float] = time.monotonic
    status: dict[str, Status] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _shared: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for job in self.jobs:
            self.status.setdefault(job.folder, "waiting" if job.folder in self.todo else "done before")
            if (cost := self.costs.get(job.name)) is not None:
                self._shared |= dict.fromkeys(job.needs, float(cost.pretraining))

    def start(self, job: Job) -> None:
        """A job was handed to the executor."""
        self.status[job.folder] = "running"
        self._began[job.folder] = self.clock()

    def end(self, job: Job, outcome: Outcome) -> None:
        """A job is finished, or has failed for good."""
        self.status[job.folder] = "finished" if outcome.status == "finished" else "failed"
        if outcome.status == "finished" and outcome.seconds:
            self.seconds[job.folder] = outcome.seconds

    @property
    def counts(self) -> tuple[int, int]:
        """Jobs of this call that have ended, and all of them."""
        ended = sum(self.status[folder] in ("finished", "failed") for folder in self.todo)
        return ended, len(self.todo)

    def part(self, job: Job) -> float | None:
        """How much of a running job is done, 0 to 1, by the last epoch in its log; None before the first."""
        epoch = last_epoch(self.study / job.folder / "log.jsonl")
        return None if epoch is None else min(epoch / engine_of(job).epochs, 1.0)

    def left(self) -> float | None:
        """Seconds until the end, as far as can be said; None before the first job of this call has ended."""
        if not self.seconds:
            return None
        open_jobs = [job for job in self.jobs if self.status[job.folder] in ("waiting", "running")]
        rest = [self._rest(job) for job in open_jobs]
        # The last jobs cannot be shared out: one alone takes as long as it takes.
        return max([sum(rest) / self.slots, *rest], default=0.0)

    def _rest(self, job: Job) -> float:
        whole = self._expected(job)
        if self.status[job.folder] != "running":
            return whole
        spent = self.clock() - self._began[job.folder]
        part = self.part(job)
        return max(0.0, whole - spent if part is None else (1 - part) * whole)

    def _expected(self, job: Job) -> float:
        known = {other.folder: other for other in self.jobs}
        alike = [s for folder, s in self.seconds.items() if _kind(known[folder]) == _kind(job)]
        if alike:
            return statistics.fmean(alike)
        timed = [(s, self._flops(known[folder])) for folder, s in self.seconds.items()]
        work = sum(flops for _, flops in timed)
        seconds = sum(s for s, _ in timed)
        return seconds * self._flops(job) / work if work else seconds / len(timed)

    def _flops(self, job: Job) -> float:
        if job.kind == "ensemble":
            return 0.0
        cost = self.costs.get(job.name) or (self.costs.get("baseline") if job.kind not in SHARED_KINDS else None)
        return self._shared.get(job.folder, 0.0) if cost is None else float(cost.training)


def engine_of(job: Job) -> TrainingSettings:
    """The engine's settings in the section that a job trains."""
    sections = {"pretrain": job.recipe.emotional.training, "source": job.recipe.source.training}
    return sections.get(job.kind, job.recipe.training)


class Said:
    """A line about each job that ends, with the time left."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def begin(self, timetable: Timetable) -> None:
        self.timetable = timetable

    def ended(self, job: Job, outcome: Outcome) -> None:
        ended, count = self.timetable.counts
        if outcome.status != "finished":
            self.say(f"{ended} of {count}: {job.title} failed: {outcome.error}")
            return
        left = self.timetable.left()
        rest = f"; {duration(left)} left" if ended < count and left is not None else ""
        took = f"in {outcome.seconds:.0f} s" if outcome.seconds else "by another command"
        self.say(f"{ended} of {count}: {job.title} finished {took}{rest}")

    def stop(self) -> None: ...


def duration(seconds: float) -> str:
    """``under 1 s``, ``about 40 s``, ``about 12 min``, ``about 3.5 h``."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _kind(job: Job) -> str:
    """Jobs that differ by seed alone; members of an ensemble by number too."""
    return f"{job.kind} {job.name.rstrip('0123456789 ') if not job.is_run else job.name}"


def last_epoch(log: Path) -> int | None:
    """Epochs that a run has behind it, by the last whole line of its log; None without any."""
    for entry in reversed([_parsed(line) for line in _tail(log)]):
        epoch = entry.get("epoch")
        if isinstance(epoch, int):
            return epoch if entry.get("kind") == "validation" else epoch - 1
    return None


def _tail(log: Path) -> Iterable[str]:
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            return file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ()


def _parsed(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
