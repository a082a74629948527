"""Study: conditions x seeds on one recipe, ending in statistics; calling it again finishes what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affekt.errors import UsageError
from affekt.recipe import Recipe
from affekt.study.comparison import compare_folder
from affekt.study.executors import Executor, create_executor
from affekt.study.folder import RunFolder
from affekt.study.frame import Frame
from affekt.study.jobs import Job
from affekt.study.planning import frame_of, plan_in
from affekt.study.results import append, read, record_of
from affekt.study.scheduling import Schedule
from affekt.study.study_plan import StudyPlan
from affekt.study.timetable import Said, Timetable, Watch
from affekt.study.tuning import choose, jobs_of
from affekt.study.working import Outcome, finished
from affekt.training.distributed import processes


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """What came out of a study.

    Attributes:
        folder: of the study.
        comparison: what ``comparison.json`` holds.
        failed: folder of a run -> its error.
        frame: what a report must know of the study.
    """

    folder: Path
    frame: Frame
    comparison: Mapping[str, Any]
    failed: Mapping[str, str]


Listener = Callable[[str], None]


def study(
    recipe: Recipe,
    *,
    out: Path | str,
    seeds: int | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    gpus: tuple[str, ...] = (),
    gpu_share: float = 1.0,
    options: Mapping[str, Any] | None = None,
    data_root: Path | None = None,
    progress: Any = None,
    say: Listener = lambda _: None,
    watch: Watch | None = None,
) -> StudyResult:
    """Run what is missing of a study, then compare.

    Args:
        out: folder of the study.
        seeds: how many, counted up from the recipe's; None: as the recipe declares. More than were declared when the
            folder was begun are marked as added.
        executor: a name, or an executor.
        workers, gpus, gpu_share, options: of an executor by name, see
            :func:`~affekt.study.executors.create_executor`.
        progress: of runs in this process.
        say: called with a line about each condition that does not apply, what is to be known before the first run, and
            each run that ends.
        watch: told of the runs instead.

    Raises:
        UsageError: started by ``torchrun``, whose processes are for one run; or what
            :func:`~affekt.study.executors.create_executor` raises, before anything is read or written.
        RecipeError: the folder holds another study (the keys that differ), or see :func:`~affekt.study.planning.plan`.
        DataError: a machine lacks what the runs read; see :mod:`~affekt.study.machine_check`.
        AffektError: a run's predictions were altered.
    """
    if (world := processes().world) > 1:
        raise UsageError(
            f"a study on {world} processes of torchrun: start it without, it gives each run a process by itself "
            "(--workers); torchrun is for one run: affekt train"
        )
    folder = RunFolder(Path(out))
    # First of all: what is wrong with where it shall run is known without the data, and leaves nothing behind.
    if isinstance(executor, str):
        where: dict[str, Any] = {"workers": workers, "gpus": gpus, "gpu_share": gpu_share, "data_root": data_root}
        made = create_executor(executor, folder.path, progress=progress, **where, **(options or {}))
        ends: Any = closing(made)
    else:
        made, ends = executor, nullcontext()
    with ends:
        return _studied(recipe, folder, Place(folder.path, made, watch or Said(say)), seeds, data_root, say)


def _studied(
    recipe: Recipe, folder: RunFolder, place: Place, seeds: int | None, data_root: Path | None, say: Listener
) -> StudyResult:
    planned = plan_in(recipe, folder, seeds=seeds, data_root=data_root)
    for name, reason in planned.inapplicable.items():
        say(f"{name} does not apply: {reason}")
    for caution in planned.cautions:
        say(f"note: {caution}")
    folder.claim(replace(planned.recipe, study=replace(planned.recipe.study, seeds=len(planned.declared))))
    frame = frame_of(planned)
    # At once, so that a report can be made of what there is whenever this is stopped.
    compare_folder(folder.path, frame)
    if trials := jobs_of(planned):
        place.run(trials, planned)  # a rate that fails is one that is not chosen
        planned = choose(planned, folder.path)
    failed = place.run(planned.jobs, planned)
    comparison = compare_folder(folder.path, frame)
    return StudyResult(folder=folder.path, frame=frame, comparison=comparison, failed=failed)


@dataclass(frozen=True)
class Place:
    """Where the jobs of a study are done, and who is told."""

    study: Path
    executor: Executor
    watch: Watch

    def run(self, jobs: list[Job], planned: StudyPlan) -> dict[str, str]:
        """Do what is missing of these jobs; a line in ``results.jsonl`` for every run. Returns folder -> error."""
        todo = _unfinished(self.study, jobs)
        self._record_missing(jobs, planned)
        failed = self._do(jobs, todo, planned) if todo else {}
        # Once more: over a network, two machines that add a line at the same moment may lose one of them.
        self._record_missing(jobs, planned)
        return failed

    def _do(self, jobs: list[Job], todo: list[Job], planned: StudyPlan) -> dict[str, str]:
        self.executor.look(todo)
        timetable = Timetable(
            study=self.study,
            jobs=tuple(jobs),
            todo=frozenset(job.folder for job in todo),
            costs=planned.costs,
            slots=self.executor.slots,
        )

        def end(job: Job, outcome: Outcome) -> None:
            if outcome.status == "finished" and job.is_run:
                self._record(job, planned)
            timetable.end(job, outcome)
            self.watch.ended(job, outcome)

        self.watch.begin(timetable)
        try:
            return Schedule(study=self.study, jobs=todo, ended=end, started=timetable.start).run(self.executor)
        finally:
            self.watch.stop()

    def _record_missing(self, jobs: list[Job], planned: StudyPlan) -> None:
        recorded = {record["folder"] for record in read(self.study)[0]}
        for job in jobs:
            if job.is_run and job.folder not in recorded and finished(self.study, job):
                self._record(job, planned)

    def _record(self, job: Job, planned: StudyPlan) -> None:
        """The line of a finished run, unless it stands there: another command may have written it."""
        recorded = {(record["folder"], record["predictions"]) for record in read(self.study)[0]}
        line = record_of(self.study, job, planned.costs.get(job.name))
        if (line["folder"], line["predictions"]) not in recorded:
            append(self.study, line)


def _unfinished(folder: Path, jobs: list[Job]) -> list[Job]:
    """Jobs to do: unfinished ones that are asked for, and the unfinished shared work that these need."""
    by_folder = {job.folder: job for job in jobs}
    wanted: set[str] = set()
    waiting = [job.folder for job in jobs if not job.is_shared]
    while waiting:
        name = waiting.pop()
        if name in wanted or finished(folder, by_folder[name]):
            continue
        wanted.add(name)
        waiting += [need for need in by_folder[name].needs if need in by_folder]
    return [job for job in jobs if job.folder in wanted]
