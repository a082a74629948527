"""Local: jobs in this process one after another, or in several of this machine with their share of threads."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from affekt.errors import UsageError
from affekt.study.jobs import Job
from affekt.study.working import Outcome, work


def default_workers(cores: int) -> int:
    """One job for every two cores: small networks gain little from more threads, and two leave one to the data."""
    return max(1, cores // 2)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def visible_gpus() -> tuple[str, ...]:
    """Numbers of the GPUs that this process may use, as the environment has them."""
    count = torch.cuda.device_count()
    said = [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
    return tuple(said[:count] or map(str, range(count)))


@dataclass(frozen=True)
class Done:
    """A handle of what is done already."""

    result: Outcome

    def outcome(self) -> Outcome | None:
        return self.result


class Inline:
    """Jobs in this process, each when it is submitted."""

    slots = 1

    def __init__(self, study: Path, *, data_root: Path | None, progress: Any) -> None:
        self.study, self.data_root, self.progress = study, data_root, progress

    def look(self, jobs: Sequence[Job]) -> None:
        """The plan has opened the data here."""

    def submit(self, job: Job) -> Done:
        return Done(work(self.study, job, data_root=self.data_root, progress=self.progress))

    def close(self) -> None:
        """Nothing is running."""


class Pooled:
    """A job in another process."""

    def __init__(self, future: Future[Outcome]) -> None:
        self.future = future

    def outcome(self) -> Outcome | None:
        if not self.future.done():
            return None
        try:
            return self.future.result()
        except BrokenProcessPool:
            return Outcome(status="died", error="its worker process died (killed, or out of memory)")


class Pool:
    """Jobs in ``slots`` processes of this machine, each with its share of the cores, or a GPU of its own.

    A worker that dies (killed, out of memory) takes the pool with it: all its jobs are reported as ``died``, and the
    next submit makes another pool.
    """

    def __init__(self, study: Path, *, slots: int, gpus: tuple[str, ...], data_root: Path | None) -> None:
        self.study, self.data_root = study, data_root
        self.slots = slots
        self.gpus = gpus
        self.threads = max(1, cores() // slots)
        self.pool = self._made()

    def _made(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        numbers = context.Queue()
        for slot in range(self.slots):
            numbers.put(self.gpus[slot % len(self.gpus)] if self.gpus else None)
        return ProcessPoolExecutor(self.slots, mp_context=context, initializer=_start, initargs=(self.threads, numbers))

    def look(self, jobs: Sequence[Job]) -> None:
        """The plan has opened the data here."""

    def submit(self, job: Job) -> Pooled:
        try:
            return Pooled(self.pool.submit(work, self.study, job, data_root=self.data_root))
        except BrokenProcessPool:
            self.pool.shutdown(wait=False, cancel_futures=True)
            self.pool = self._made()
            return Pooled(self.pool.submit(work, self.study, job, data_root=self.data_root))

    def close(self) -> None:
        """End the workers; what they were at goes on from its checkpoint next time."""
        processes = list((getattr(self.pool, "_processes", None) or {}).values())
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(timeout=10)


def _start(threads: int, numbers: Any) -> None:
    """In each worker: its share of threads, its GPU; Ctrl-C is the parent's matter."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _see(numbers.get())
    torch.set_num_threads(threads)


def _end_with_parent() -> None:
    """A worker whose parent was killed would go on, unseen, and hold its folder against the next command."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _see(gpu: str | None) -> None:
    """Let this process see one GPU; before the first use of any."""
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu


def local(
    study: Path,
    *,
    workers: int | None,
    gpus: tuple[str, ...],
    gpu_share: float = 1.0,
    data_root: Path | None,
    progress: Any,
) -> Pool | Inline:
    """Jobs on this machine: in this process where they run one by one, else in several; on each GPU, those named or all
    that there are, as many as its shares allow, unless ``workers`` says how many in all.

    Raises:
        UsageError: more of them than cores, a GPU that is not here.
    """
    gpus = _chosen(gpus, gpu_share)
    slots = workers or len(gpus) * int(1 / gpu_share) or default_workers(cores())
    if slots > cores():
        asked = (
            f"--workers {slots}" if workers else f"{slots} jobs at once (GPUs {', '.join(gpus)}, {gpu_share:g} a job)"
        )
        raise UsageError(f"{asked}: this machine has {cores()} cores, and a job needs one; write --workers {cores()}")
    if slots == 1:
        _see(gpus[0] if gpus else None)
        return Inline(study, data_root=data_root, progress=progress)
    return Pool(study, slots=slots, gpus=gpus, data_root=data_root)


def _chosen(gpus: tuple[str, ...], share: float) -> tuple[str, ...]:
    """The GPUs that jobs get: those named, else all.

    Raises:
        UsageError: one that is not here; jobs would go on a CPU without a word.
    """
    here = visible_gpus()
    if not here and (gpus or share < 1):
        asked = f"--gpus {','.join(gpus)}" if gpus else f"--gpu-share {share:g}"
        raise UsageError(f"{asked}: this machine has no GPU that torch can use; leave it out")
    # Longer names (GPU-5c1f, MIG-...) are the driver's: what they mean, torch does not say.
    if absent := [number for number in gpus if number.isdecimal() and number not in here]:
        raise UsageError(f"--gpus {','.join(gpus)}: no GPU {', '.join(absent)} here; there are {', '.join(here)}")
    return gpus or here
