"""Plans: what a study would take on so many machines of a kind - hours, disk, and each kind of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from affekt.study.estimating import Estimate
from affekt.study.machines.forecasting import Forecast
from affekt.study.machines.machine import Machine
from affekt.study.machines.packing import Packing, pack
from affekt.study.study_plan import StudyPlan
from affekt.study.tuning import jobs_of


@dataclass(frozen=True, kw_only=True)
class MachinePlan:
    """A study, or several, on machines of one kind.

    Attributes:
        machine: as it was measured.
        estimates: of each kind of training.
        work: seconds of all jobs, one after another.
        packings: number of machines -> when each job runs.
        disk: bytes that all leave.
    """

    machine: Machine
    estimates: tuple[Estimate, ...]
    work: float
    packings: Mapping[int, Packing]
    disk: int


def plan_on(planned: StudyPlan, forecast: Forecast, machines: Sequence[int]) -> MachinePlan:
    """What a study would take on a machine, and on several.

    Raises:
        UsageError: no machine, or a precision in which it was not measured.
    """
    estimates = tuple(forecast.estimates(planned))
    seconds, needs = timed_jobs(planned, forecast)
    return MachinePlan(
        machine=forecast.machine,
        estimates=estimates,
        work=sum(seconds.values()),
        packings={count: pack(seconds, needs, count) for count in machines},
        disk=sum(e.jobs * e.disk for e in estimates),
    )


def timed_jobs(planned: StudyPlan, forecast: Forecast) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
    """Seconds of each job of a study by its folder, and what it waits for: trials of learning rates come first."""
    tried, jobs = jobs_of(planned), planned.jobs
    seconds = {job.folder: forecast.seconds(job) for job in (*tried, *jobs)}
    needs = {job.folder: job.needs for job in (*tried, *jobs)}
    trials = tuple(job.folder for job in tried if job.kind == "tune")
    for job in jobs:
        if job.kind == "train" and trials:
            needs[job.folder] = (*job.needs, *trials)
    return seconds, needs
