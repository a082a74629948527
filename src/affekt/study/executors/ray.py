"""Ray: jobs on a ray cluster - one by its address, else that of this machine, else one that is started here."""

from __future__ import annotations

import logging
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from affekt.errors import MissingExtra, UsageError
from affekt.study.executors.local import cores, default_workers
from affekt.study.jobs import Job
from affekt.study.machine_check import Read, lacking, read_by, refuse
from affekt.study.working import Outcome, work

KNOCK = 10.0
"""Seconds within which a machine at an address answers; ray itself tries for many minutes."""

LOOK = 600.0
"""Seconds that nodes have to say whether they have the data: importing torch from a folder of many readers is slow."""


class RayHandle:
    """A job on the cluster."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self.ray, self.reference = ray, reference

    def outcome(self) -> Outcome | None:
        ready, _ = self.ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            found: Outcome = self.ray.get(self.reference)
        except self.ray.exceptions.RayError as error:
            return Outcome(status="died", error=f"its ray worker is gone ({type(error).__name__})")
        return found


@dataclass(frozen=True, kw_only=True)
class Here:
    """What the machine that a study was begun on says to the others.

    Attributes:
        affekt_data: its ``AFFEKT_DATA``, for those that have none: ray's workers do not inherit it.
    """

    study: Path
    data_root: Path | None
    affekt_data: str | None

    def settle(self) -> None:
        """In the process of another machine."""
        if self.affekt_data:
            os.environ.setdefault("AFFEKT_DATA", self.affekt_data)


class Ray:
    """Jobs as ray tasks. The study's folder must be the same on every machine of the cluster.

    Args:
        study: folder of the study.
        workers: jobs at once; None: as many as the cluster has room for.
        gpus: numbers of GPUs are ray's own matter; given any, each job asks for one.
        gpu_share: of a GPU that a job asks for; a larger job, by the plan's estimate, asks for more where the GPU here
            says how large they are.
        data_root: parent of the data sets' folders, on every machine; None: the ``AFFEKT_DATA`` of each, else of this.
        address: of a cluster; None: what ``RAY_ADDRESS`` says, else what `ray start` began here, else ray is started,
            for ``workers`` jobs.

    Raises:
        MissingExtra: ray is not installed.
        UsageError: there is no cluster at that address, or it has no GPU though one is asked for.
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
        address: str | None = None,
    ) -> None:
        del progress
        try:
            import ray
        except ImportError:
            raise MissingExtra("ray", "ray") from None
        self.ray: Any = ray
        said = os.environ.get("AFFEKT_DATA")
        self.here = Here(
            study=study.resolve(),
            data_root=data_root and data_root.resolve(),
            affekt_data=said and str(Path(said).expanduser().resolve()),
        )
        self.started = not ray.is_initialized()
        slots = workers or default_workers(cores())
        self.threads = max(1, cores() // slots)
        if self.started:
            self._start(address, slots)
        room = int(self.ray.cluster_resources().get("CPU", 1)) // self.threads
        self.slots = min(workers or room, max(1, room))
        self.gpu_share = gpu_share if gpus or gpu_share < 1 else 0.0
        if self.gpu_share:
            on_gpus = int(self.ray.cluster_resources().get("GPU", 0) / self.gpu_share)
            if not on_gpus:
                raise UsageError("--executor ray: the cluster has no GPU; leave --gpus and --gpu-share out")
            self.slots = min(self.slots, on_gpus)
        self.remote = ray.remote(_work)

    def _start(self, address: str | None, slots: int) -> None:
        wanted = address or os.environ.get("RAY_ADDRESS")
        said: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if wanted is not None:
                _knock(wanted)
                self.ray.init(address=wanted, **said)
                return
            try:
                self.ray.init(num_cpus=slots * self.threads, include_dashboard=False, **said)
            except ValueError:
                # `ray start` was given on this machine: ray joins its cluster, whose size is not ours to say.
                self.ray.init(**said)
        except OSError as error:
            raise UsageError(f"--executor ray: no cluster at {wanted}: {' '.join(str(error).split())[:160]}") from None

    def look(self, jobs: Sequence[Job]) -> None:
        """
        Raises:
            DataError: a node of the cluster lacks a data set, or the folder of the study.
        """
        read, remote = read_by(jobs), self.ray.remote(_lacking)
        nodes = [node for node in self.ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        asked = {_name(node): self._at(remote, node["NodeID"]).remote(self.here, read) for node in nodes}
        refuse({name: self._answer(reference) for name, reference in asked.items()})

    def _at(self, remote: Any, node: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        return remote.options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)

    def _answer(self, reference: Any) -> list[str]:
        errors = self.ray.exceptions
        try:
            found: list[str] = self.ray.get(reference, timeout=LOOK)
        except errors.RayTaskError as error:  # it has another affekt, or none
            found = [f"affekt like the one here ({' '.join(str(error).split())[-160:]})"]
        except errors.RayError:  # it went away, or is too busy: runs will go elsewhere, or say so
            found = []
        return found

    def submit(self, job: Job) -> RayHandle:
        placed = self.remote.options(num_cpus=self.threads, max_retries=0, **self._size(job))
        return RayHandle(self.ray, placed.remote(self.threads, self.here, job))

    def _size(self, job: Job) -> dict[str, float]:
        """What ray is to find room for: a share of a GPU, or of a machine's memory."""
        if self.gpu_share:
            whole = torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else math.inf
            return {"num_gpus": min(1.0, max(self.gpu_share, math.ceil(100 * job.memory / whole) / 100))}
        # No more than the largest machine has, or ray would wait for a larger one for ever: it is an estimate.
        largest = max((node["Resources"].get("memory", 0.0) for node in self.ray.nodes() if node["Alive"]), default=0.0)
        return {"memory": min(float(job.memory), largest)} if job.memory else {}

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self.started:
            self.ray.shutdown()


def _knock(address: str) -> None:
    """
    Raises:
        OSError: nobody listens at ``host:port``; other addresses (``auto``, ``local``) are not looked at.
    """
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK).close()


def _name(node: Mapping[str, Any]) -> str:
    """Of a node, for people: several may be on one machine."""
    return f"{node['NodeManagerHostname']} (node {node['NodeID'][:6]}, {node['NodeManagerAddress']})"


def _lacking(here: Here, read: list[Read]) -> list[str]:
    here.settle()
    return lacking(here.study, read, here.data_root)


def _work(threads: int, here: Here, job: Job) -> Outcome:
    here.settle()
    torch.set_num_threads(threads)
    return work(here.study, job, data_root=here.data_root, machine=socket.gethostname())
