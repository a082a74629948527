"""Scheduling: jobs handed to an executor as soon as what they need is done; failures keep to themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from affekt.saving.claims import at_work
from affekt.study.executors.base import Executor, Handle
from affekt.study.jobs import Job
from affekt.study.working import Outcome, finished

POLL = 0.2
"""Seconds between looks at running jobs."""

BUSY_WAIT = 2.0
"""Seconds before a job that another command is at is looked at again."""

DEATHS = 3
"""Times that a job's process may die before it is given up."""


@dataclass(kw_only=True)
class Schedule:
    """What is still to do.

    Attributes:
        started: called with each job when it is handed over.
        ended: called with each job and its outcome, when it is finished or has failed for good.
    """

    study: Path
    jobs: Sequence[Job]
    ended: Callable[[Job, Outcome], None]
    started: Callable[[Job], None] = lambda _: None
    failed: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    running: dict[str, Handle] = field(default_factory=dict)
    deaths: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._planned = {job.folder for job in self.jobs}

    def run(self, executor: Executor) -> dict[str, str]:
        """Do all jobs; returns folder -> error of those that failed."""
        by_folder = {job.folder: job for job in self.jobs}
        todo = [job.folder for job in self.jobs]
        while todo or self.running:
            todo = [folder for folder in todo if not self._settled(by_folder[folder])]
            ready = [f for f in todo if self._ready(by_folder[f])]
            for folder in ready[: max(0, executor.slots - len(self.running))]:
                self.started(by_folder[folder])
                self.running[folder] = executor.submit(by_folder[folder])
                todo.remove(folder)
            if not self._collect(by_folder, todo) and (todo or self.running):
                time.sleep(POLL)
        return self.failed

    def _settled(self, job: Job) -> bool:
        """Whether a job need not be handed over: done by another command, or in want of one that failed."""
        lost = next((need for need in job.needs if need in self.failed), None)
        if lost is not None:
            self._end(job, Outcome(status="failed", error=f"needs {lost}, which failed"))
            return True
        if job.folder in self.waiting and finished(self.study, job):
            self._end(job, Outcome(status="finished"))
            return True
        return False

    def _ready(self, job: Job) -> bool:
        if time.monotonic() < self.waiting.get(job.folder, 0.0):
            return False
        if job.folder in self.waiting and at_work(self.study / job.folder):
            # Looked at from here, so that no cluster is asked for a process only to find the same.
            self.waiting[job.folder] = time.monotonic() + BUSY_WAIT
            return False
        # What is not among the jobs was finished before.
        return all(need in self.done or need not in self._planned for need in job.needs)

    def _collect(self, by_folder: dict[str, Job], todo: list[str]) -> bool:
        """Take in what has ended; whether there was any."""
        outcomes = {folder: handle.outcome() for folder, handle in self.running.items()}
        ended = {folder: outcome for folder, outcome in outcomes.items() if outcome is not None}
        for folder, outcome in ended.items():
            del self.running[folder]
            if outcome.status == "busy":
                self.waiting[folder] = time.monotonic() + BUSY_WAIT
                todo.append(folder)
            elif outcome.status == "died" and self._may_try_again(folder):
                todo.append(folder)
            else:
                self._end(by_folder[folder], outcome)
        return bool(ended)

    def _may_try_again(self, folder: str) -> bool:
        self.deaths[folder] = self.deaths.get(folder, 0) + 1
        return self.deaths[folder] < DEATHS

    def _end(self, job: Job, outcome: Outcome) -> None:
        if outcome.status == "finished":
            self.done.add(job.folder)
        else:
            self.failed[job.folder] = outcome.error
        self.ended(job, outcome)
