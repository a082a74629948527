"""Packing: when each job of a study would run on so many machines, and when the last one ends."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from affekt.errors import UsageError

Needs = Mapping[str, Sequence[str]]
"""Job -> jobs that must have ended before."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One job's: which machine, from 0, and from when to when, seconds."""

    job: str
    machine: int
    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True)
class Packing:
    """All turns.

    Attributes:
        machines: that there are; perhaps not all of them are used.
        turns: in the order in which they begin.
    """

    machines: int
    turns: tuple[Turn, ...]

    @property
    def seconds(self) -> float:
        """Until the last job has ended."""
        return max((turn.ends for turn in self.turns), default=0.0)

    @property
    def busy(self) -> float:
        """Share of the machines' time that is used."""
        worked = sum(turn.ends - turn.begins for turn in self.turns)
        return worked / (self.machines * self.seconds) if self.seconds else 1.0


def pack(seconds: Mapping[str, float], needs: Needs, machines: int) -> Packing:
    """Give each machine that is free the job that most hangs on, by the longest chain that begins with it.

    A job is not split, and waits for those that it needs. Of the packings on at most ``machines`` machines the
    shortest: with jobs that wait for each other, one machine more can make such a list longer (Graham 1969).

    Args:
        seconds: of each job.
        needs: those that are not among the jobs have ended.

    Raises:
        UsageError: no machine, or jobs that wait for each other in a circle.
    """
    if machines < 1:
        raise UsageError(f"{machines} machines: write 1 or more")
    chains = _chains(seconds, needs)
    useful = min(machines, max(len(seconds), 1))
    tried = (_packed(seconds, needs, chains, n) for n in range(1, useful + 1))
    best = min(tried, key=lambda turns: max((turn.ends for turn in turns), default=0.0))
    return Packing(machines=machines, turns=best)


def _chains(seconds: Mapping[str, float], needs: Needs) -> dict[str, float]:
    """Job -> seconds of the longest chain of jobs that begins with it.

    Raises:
        UsageError: a circle.
    """
    followers, waiting = _followers(seconds, needs)
    order = [job for job, before in waiting.items() if not before]
    for job in order:
        for follower in followers[job]:
            waiting[follower].remove(job)
            if not waiting[follower]:
                order.append(follower)
    if len(order) < len(seconds):
        raise UsageError(f"jobs that wait for each other: {', '.join(sorted(seconds.keys() - {*order})[:3])}")
    chains: dict[str, float] = {}
    for job in reversed(order):
        chains[job] = seconds[job] + max((chains[follower] for follower in followers[job]), default=0.0)
    return chains


def _followers(seconds: Mapping[str, float], needs: Needs) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Job -> jobs that wait for it, and job -> jobs that it waits for."""
    waiting = {job: {need for need in needs.get(job, ()) if need in seconds} for job in seconds}
    followers: dict[str, list[str]] = {job: [] for job in seconds}
    for job, before in waiting.items():
        for need in before:
            followers[need].append(job)
    return followers, waiting


def _packed(seconds: Mapping[str, float], needs: Needs, chains: Mapping[str, float], machines: int) -> tuple[Turn, ...]:
    followers, waiting = _followers(seconds, needs)
    ready = [(-chains[job], job) for job, before in waiting.items() if not before]
    heapq.heapify(ready)
    idle, now = [*range(machines)], 0.0
    running: list[tuple[float, int, str]] = []
    turns: list[Turn] = []
    while ready or running:
        while ready and idle:
            _, job = heapq.heappop(ready)
            turns.append(Turn(job=job, machine=heapq.heappop(idle), begins=now, ends=now + seconds[job]))
            heapq.heappush(running, (turns[-1].ends, turns[-1].machine, job))
        now, machine, ended = heapq.heappop(running)
        heapq.heappush(idle, machine)
        for job in followers[ended]:
            waiting[job].remove(ended)
            if not waiting[job]:
                heapq.heappush(ready, (-chains[job], job))
    return tuple(turns)
