"""Executors: where the jobs of a study run - in this process, in several of this machine, on ray or slurm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from affekt.errors import UsageError, unknown
from affekt.study.executors.base import Executor, Handle
from affekt.study.executors.local import local
from affekt.study.executors.ray import Ray
from affekt.study.executors.slurm import Slurm

EXECUTORS: dict[str, Callable[..., Executor]] = {"local": local, "ray": Ray, "slurm": Slurm}

__all__ = ["EXECUTORS", "Executor", "Handle", "create_executor"]


def create_executor(
    name: str,
    study: Path,
    *,
    workers: int | None,
    gpus: tuple[str, ...] = (),
    gpu_share: float = 1.0,
    data_root: Path | None,
    progress: Any,
    **options: Any,
) -> Executor:
    """An executor by name.

    Args:
        study: folder of the study.
        workers: jobs at once; None: one a GPU, else one for every two cores.
        gpus: numbers of the GPUs to use, one job each; none: on this machine all.
        gpu_share: of a GPU that a job gets, above 0: several share one.
        data_root: parent of the data sets' folders.
        progress: of a job that runs in this process.
        options: of this executor.

    Raises:
        UsageError: no such executor, or a share that is none.
        MissingExtra: its package is not installed.
    """
    if name not in EXECUTORS:
        raise UsageError(unknown("executor", name, EXECUTORS))
    if not 0 < gpu_share <= 1:
        raise UsageError(f"--gpu-share {gpu_share:g}: a number above 0 and up to 1, e.g. 0.5")
    place = {"workers": workers, "gpus": gpus, "gpu_share": gpu_share, "data_root": data_root}
    return EXECUTORS[name](study, progress=progress, **place, **options)
