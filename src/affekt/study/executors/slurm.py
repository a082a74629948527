"""Slurm: every job of a study as a job of a slurm cluster, through submitit."""

from __future__ import annotations

import io
import shutil
import socket
from collections.abc import Sequence
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path
from typing import Any

import torch

from affekt.errors import MissingExtra, UsageError
from affekt.study.jobs import Job
from affekt.study.working import Outcome, work

FOLDER = "slurm"
"""Of the cluster's own files, within the study."""

SLOTS = 100
"""Jobs handed over at once, unless ``workers`` says otherwise: the queue is slurm's matter."""


class SlurmHandle:
    """A job in the queue, or on a node."""

    def __init__(self, job: Any) -> None:
        self.job = job

    def outcome(self) -> Outcome | None:
        if not self.job.done():
            return None
        try:
            found: Outcome = self.job.result()
        except Exception as error:  # submitit raises its own kinds and whatever the job's process raised
            return Outcome(status="died", error=f"its slurm job ended ({' '.join(str(error).split())[:200]})")
        return found


class Slurm:
    """Jobs by ``submitit``. The study's folder must be the same on every node.

    Args:
        study: folder of the study.
        workers: jobs in the queue at once; None: 100.
        gpus: given any, each job asks for one GPU.
        data_root: parent of the data sets' folders, on every node.
        cluster: ``"slurm"``, or ``"local"``: submitit's stand-in, processes of this machine.
        parameters: for submitit's ``update_parameters``: ``timeout_min``, ``slurm_partition``, ``cpus_per_task`` ...;
            :func:`~affekt.study.executors.slurm_options.slurm_parameters` makes them from words.

    Raises:
        MissingExtra: submitit is not installed.
        UsageError: a share of a GPU; a machine that cannot submit jobs; later, a job that sbatch refused.
    """

    def __init__(
        self,
        study: Path,
        *,
        workers: int | None,
        gpus: tuple[str, ...],
        data_root: Path | None,
        gpu_share: float = 1.0,
        progress: Any = None,
        cluster: str = "slurm",
        parameters: dict[str, Any] | None = None,
    ) -> None:
        del progress
        if gpu_share < 1:
            raise UsageError(f"--gpu-share {gpu_share:g}: slurm gives whole GPUs; leave it out, or use ray")
        try:
            import submitit
        except ImportError:
            raise MissingExtra("slurm", "submitit") from None
        if cluster == "slurm" and shutil.which("srun") is None:
            raise UsageError(
                "--executor slurm: no srun on this machine; give the command on one from which jobs are submitted, or "
                "leave --executor out"
            )
        self.study, self.data_root = study.resolve(), data_root and data_root.resolve()
        self.slots = workers or SLOTS
        chosen: dict[str, Any] = {"cpus_per_task": 2, "timeout_min": 24 * 60, **(parameters or {})}
        self.threads = int(chosen["cpus_per_task"])
        self.parameters = chosen | ({"gpus_per_node": 1} if gpus else {})
        self.make = partial(submitit.AutoExecutor, folder=self.study / FOLDER, cluster=cluster)
        self.executor: Any = None
        self.handles: list[SlurmHandle] = []

    def look(self, jobs: Sequence[Job]) -> None:
        """Which nodes there will be is slurm's matter: a job on one without the data says so, and trains nothing."""

    def submit(self, job: Job) -> SlurmHandle:
        if self.executor is None:  # not before: it makes a folder within the study's, which must be claimed first
            self.executor = self.make()
            self.executor.update_parameters(**self.parameters)
        handle = SlurmHandle(self._submitted(job))
        self.handles.append(handle)
        return handle

    def _submitted(self, job: Job) -> Any:
        """
        Raises:
            UsageError: sbatch refused it, in its own words.
        """
        from submitit.core.utils import FailedJobError

        try:
            with redirect_stderr(io.StringIO()):  # submitit prints what it raises, too
                return self.executor.submit(_work, self.threads, self.study, job, self.data_root)
        except FailedJobError as error:
            said = " ".join(str(error).split())[:300]
            raise UsageError(
                f"--executor slurm: refused: {said}; say what the cluster asks for, e.g. --slurm partition=gpu "
                "--slurm account=NAME"
            ) from None

    def close(self) -> None:
        """Cancel what still waits or runs; it goes on from its checkpoint next time."""
        for handle in self.handles:
            if not handle.job.done():
                handle.job.cancel()


def _work(threads: int, study: Path, job: Job, data_root: Path | None) -> Outcome:
    torch.set_num_threads(threads)
    return work(study, job, data_root=data_root, machine=socket.gethostname())
