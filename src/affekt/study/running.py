"""Running: what every kind of run does in the same way - its folder, threads, scoring and result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from affekt.recipe import DataSettings, Recipe, TrainingSettings
from affekt.study.building import Data
from affekt.study.folder import RunFolder, with_threads
from affekt.study.records import write_records
from affekt.training import Trainer, TrainingResult
from affekt.training.distributed import barrier, is_main

SCORED = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run.

    Attributes:
        folder: of the run.
        model: folder that ``affekt.load`` takes; of a run over folds that of its first.
        models: how many there are, one a fold.
        metrics: split -> metric -> value; test was scored once, with the weights that validation selected.
        seconds: of this call; a run that was finished before takes none.
        notes: what a reader of the result should know.
    """

    folder: Path
    model: Path
    metrics: Mapping[str, Mapping[str, float | None]]
    seconds: float
    notes: tuple[str, ...] = ()
    models: int = 1


def alone(folder: RunFolder) -> AbstractContextManager[None]:
    """The folder for this run alone; of several processes that share a run, the first holds the lock for all."""
    return folder.locked() if is_main() else nullcontext()


def claim(folder: RunFolder, recipe: Recipe) -> None:
    """Claim the folder once for all processes, after every one of them has looked at it."""
    barrier()
    if is_main():
        folder.claim(recipe)
    barrier()


def crop_size(source: DataSettings, own: int | None) -> int:
    """Side of the training crops: cut from the pictures as read; a larger network scales them up for itself."""
    return min(source.image_size, own or source.image_size)


@contextmanager
def threads(engine: TrainingSettings) -> Iterator[None]:
    """The run's number of CPU threads, which is part of its identity; the process's own afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(engine.threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def done(folder: RunFolder, recipe: Recipe) -> RunResult | None:
    """The result of a run that is finished already; None where there is something to do."""
    record = folder.result() if folder.held(recipe) is not None else None
    return None if record is None else as_result(folder, record, seconds=0.0)


def started(folder: RunFolder, recipe: Recipe) -> Recipe:
    """The recipe that the run follows: the folder's own on a resume, else this one with the machine's threads."""
    return folder.held(recipe) or with_threads(recipe, torch.get_num_threads())


def once(
    folder: RunFolder,
    recipe: Recipe,
    work: Callable[[Recipe], None],
    *,
    engine: Callable[[Recipe], TrainingSettings],
    check: Callable[[Recipe], None] | None = None,
) -> RunResult:
    """A run's result; where it is not finished, after its work, with the folder and the run's threads to itself.

    Args:
        recipe: as it was asked for; ``work``, ``engine`` and ``check`` get the one that the run follows.
        work: trains, and leaves the records.
        engine: the settings by which it trains.
        check: called before anything is written.
    """
    begun = time.monotonic()
    if (finished := done(folder, recipe)) is not None:
        return finished
    if check is not None:
        check(started(folder, recipe))
    with alone(folder):
        # By another command, a moment ago: it may have finished the run, or begun it with threads of its own.
        if (finished := done(folder, recipe)) is not None:
            return finished
        recipe = started(folder, recipe)
        with threads(engine(recipe)):
            work(recipe)
    return as_result(folder, folder.result() or {}, seconds=time.monotonic() - begun)


def scored(
    trainer: Trainer, folder: RunFolder, *, recipe: Recipe, what: str, data: Data, fitted: TrainingResult
) -> None:
    """Score validation and, once, test, with the weights that validation selected; write what came out.

    The training pictures are scored too, un-augmented, for their metrics alone: what was learned by heart shows there.
    """
    evaluations = {split: trainer.evaluate(split) for split in SCORED if split in data.splits}
    learned = trainer.evaluate("train").metrics
    if is_main():
        write_records(
            folder,
            recipe=recipe,
            what=what,
            model=trainer.task.model,
            data=data,
            fitted=fitted,
            evaluations=evaluations,
            learned=learned,
            notes=trainer.notes,
        )
    barrier()


def as_result(folder: RunFolder, record: Mapping[str, Any], *, seconds: float) -> RunResult:
    """A run's ``result.json`` as an object."""
    notes = tuple(record["notes"])
    return RunResult(folder=folder.path, model=folder.model, metrics=record["metrics"], seconds=seconds, notes=notes)
