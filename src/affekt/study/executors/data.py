"""Data of a job: what it reads, and whether the machine that asks has it."""

from __future__ import annotations

import socket
from pathlib import Path

from affekt.errors import AffektError
from affekt.study.building import affective_data, target_data
from affekt.study.jobs import Job
from affekt.study.source import source_data


def data_of(job: Job) -> str:
    """What tells jobs apart that read other data: not the seed, by which these are cut."""
    recipe = job.recipe
    read = {"pretrain": recipe.affective, "source": recipe.source}.get(job.kind, recipe.target)
    return repr((recipe.clips if recipe.of_clips else read.name, read.root, read.options))


def problem_of_data(job: Job, data_root: Path | None) -> str:
    """``machine<tab>reason`` where this machine cannot read the data of a job; nothing where it can."""
    try:
        _open(job, data_root)
    except AffektError as error:
        return f"{socket.gethostname()}\t{error}"
    return ""


def _open(job: Job, data_root: Path | None) -> None:
    recipe = job.recipe
    if recipe.of_clips:
        from affekt.study.clips.opening import open_set

        open_set(recipe, data_root=data_root)
    elif job.kind == "pretrain":
        affective_data(recipe, seed=recipe.seed, data_root=data_root)
    elif job.kind == "source":
        source_data(recipe, data_root=data_root)
    else:
        target_data(recipe, seed=recipe.seed, data_root=data_root)
