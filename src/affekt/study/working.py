"""Working: one job of a study done in this process, whatever executor brought it here."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from affekt.errors import AffektError
from affekt.study.ensemble import average
from affekt.study.folder import ERROR, Busy, RunFolder, write_text
from affekt.study.jobs import SHARED, Job
from affekt.study.pretraining import pretrain_for
from affekt.study.run import train_resolved
from affekt.study.source import train_source


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a job.

    Attributes:
        status: ``busy``: another process is at work in its folder; ``died``: the process that did it is gone.
        error: in one line.
        seconds: that it took here.
    """

    status: Literal["finished", "failed", "busy", "died"]
    error: str = ""
    seconds: float = 0.0


def work(study: Path, job: Job, *, data_root: Path | None = None, progress: Any = None, machine: str = "") -> Outcome:
    """Do a job, or go on with it; what goes wrong is written into its folder and returned, so that others go on.

    Args:
        machine: name of this one, for what goes wrong; where jobs are done on several.
    """
    begun = time.monotonic()
    folder = study / job.folder
    try:
        _work(study, job, data_root=data_root, progress=progress)
    except Busy as busy:
        return Outcome(status="busy", error=str(busy))
    except Exception as error:  # a run's failure, whatever it is, must not end the study; Ctrl-C is none of these
        said = str(error) if isinstance(error, AffektError) else f"{type(error).__name__}: {error}"
        line = " ".join(f"on {machine}: {said}".split() if machine else said.split())
        _keep(folder, line)
        return Outcome(status="failed", error=line, seconds=time.monotonic() - begun)
    (folder / ERROR).unlink(missing_ok=True)
    return Outcome(status="finished", seconds=time.monotonic() - begun)


def _work(study: Path, job: Job, *, data_root: Path | None, progress: Any) -> None:
    folder = study / job.folder
    if job.kind == "pretrain":
        real = study / job.real if job.real else None
        pretrain_for(job.recipe, out=folder, real=real, data_root=data_root, progress=progress)
    elif job.kind == "source":
        train_source(job.recipe, out=folder, data_root=data_root, progress=progress)
    elif job.kind in ("train", "tune"):
        tested, cache = job.kind == "train", study / SHARED / "affect"
        train_resolved(
            job.recipe,
            out=folder,
            what=job.name,
            data_root=data_root,
            progress=progress,
            tested=tested,
            cache_folder=cache,
        )
    else:
        average(job.recipe, folder, [study / member for member in job.members], what=job.name)


def _keep(folder: Path, error: str) -> None:
    """The error in the run's folder, where that can be written; where not, it is in what the study says."""
    with suppress(AffektError):
        write_text(folder / ERROR, json.dumps({"error": error}, indent=2) + "\n")


def finished(study: Path, job: Job) -> bool:
    """Whether a job's result is there."""
    return RunFolder(study / job.folder).result() is not None
