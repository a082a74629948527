"""Distributed: several processes started by ``torchrun`` that train one model with one global batch.

Each process works on its part of the same batch that one process would have; gradients, losses and evaluations are
those of the whole. Batch normalisation is per process: it normalises with the statistics of the process's own part, and
the running statistics that are evaluated and saved are those of process 0 (torch's SyncBatchNorm does not exist on a
CPU). A network with LayerNorm or GroupNorm gives the losses of one process, up to rounding. The run's folder must be
visible to all processes; only process 0 writes to it.
"""

from __future__ import annotations

import atexit
import inspect
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from affekt.errors import AffektError, DataError, UsageError, first

T = TypeVar("T")

PATIENCE = timedelta(seconds=10)
"""How long a process that is done waits for the others before it ends."""


@dataclass(frozen=True)
class Processes:
    """Who this process is: ``rank`` of ``world``, the ``local_rank``-th of its machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @property
    def main(self) -> bool:
        """Whether this is the one process that writes."""
        return self.rank == 0


def processes() -> Processes:
    """What ``torchrun`` says in the environment; one process without it.

    Raises:
        UsageError: the environment contradicts itself.
    """
    try:
        rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        local_rank = int(os.environ.get("LOCAL_RANK", rank))
    except ValueError:
        raise UsageError("RANK, WORLD_SIZE, LOCAL_RANK: not numbers; start with torchrun, or unset them") from None
    if not 0 <= rank < world:
        raise UsageError(f"RANK = {rank}, WORLD_SIZE = {world}: start with torchrun, or unset both")
    return Processes(rank, world, local_rank)


def is_main() -> bool:
    """Whether this process is the one that writes; true without ``torchrun``."""
    return processes().main


def join(device: torch.device) -> tuple[Processes, torch.device]:
    """Join the other processes, if there are any: gloo on CPUs, nccl on GPUs, one GPU a process.

    Returns:
        Who this process is, and its device.
    """
    who = processes()
    if who.world == 1:
        return who, device
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", who.local_rank)
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(leave)
    return who, device


def leave() -> bool:
    """End the process group, if there is one.

    gloo's threads abort a process (signal 6) whose partner has left a moment before, so all leave together; a partner
    that failed is not waited for long.

    Returns:
        Whether all are known to have left now: not where there was no group, where one did not come, and of nccl.
    """
    all_left = False
    if dist.is_initialized():
        if dist.get_backend() == "gloo":
            with suppress(RuntimeError):
                dist.monitored_barrier(timeout=PATIENCE)
                all_left = True
        dist.destroy_process_group()
    return all_left


def barrier() -> None:
    """Wait for all processes; returns at once where there is one."""
    if dist.is_initialized():
        dist.barrier()


def replicated(module: nn.Module) -> nn.Module:
    """The module with gradients averaged over the processes (DDP); itself where there is one.

    Buffers are not broadcast each step: see :func:`share_buffers`. Parameters may go unused in a step, as they may with
    one process; torch says once that looking for them costs a little.
    """
    if not dist.is_initialized():
        return module
    kind = nn.parallel.DistributedDataParallel
    renamed = "forward_sync_buffers" in inspect.signature(kind).parameters
    buffers: dict[str, Any] = {"forward_sync_buffers" if renamed else "broadcast_buffers": False}
    return kind(module, find_unused_parameters=True, **buffers)


def share_parameters(module: nn.Module) -> None:
    """Give all processes the parameters of process 0."""
    if dist.is_initialized():
        for parameter in module.parameters():
            sent = parameter.detach().contiguous()  # a copy where the layout is channels-last
            dist.broadcast(sent, src=0)
            parameter.detach().copy_(sent)


def share_buffers(module: nn.Module) -> None:
    """Give all processes the saved buffers (running statistics) of process 0."""
    if dist.is_initialized():
        names = module.state_dict(keep_vars=True)
        for tensor in names.values():
            if not isinstance(tensor, nn.Parameter):
                dist.broadcast(tensor, src=0)


def total(tensor: Tensor) -> Tensor:
    """The sum over the processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def gather(value: Any) -> list[Any]:
    """The ``value`` of each process, in their order, on all of them."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def from_main(value: Any) -> Any:
    """The ``value`` of process 0, on all."""
    if not dist.is_initialized():
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]


def together(find: Callable[[], T]) -> T:
    """What each process finds for itself, once all have found it: before a training that would wait for one in vain.

    Raises:
        AffektError: what a process raised, on all of them, with the names of the machines.
    """
    if not dist.is_initialized():
        return find()
    found: T | None = None
    failed: AffektError | None = None
    try:
        found = find()
    except AffektError as error:
        failed = error
    said = gather(None if failed is None else (socket.gethostname(), str(failed)))
    wrong = [(rank, *entry) for rank, entry in enumerate(said) if entry is not None]
    if wrong and len(wrong) < len(said):
        where = first(f"{machine} (process {rank})" for rank, machine, _ in wrong)
        failed = DataError(f"on {where} and not on the others: {wrong[0][2]}")
    if failed is not None:
        failed.common = True
        raise failed
    return cast(T, found)


def dealt(values: Sequence[Any], who: Processes) -> list[tuple[int, Any]]:
    """(index, value) of the values that fall to this process: like cards, so that none is dealt twice."""
    return [(i, v) for i, v in enumerate(values) if i % who.world == who.rank]
