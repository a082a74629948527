"""Study: conditions x seeds on one recipe, ending in statistics; calling it again finishes what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affekt.errors import RecipeError, UsageError, unknown
from affekt.recipe import Recipe, load_recipe
from affekt.study.comparing import declared_chain, declared_comparisons
from affekt.study.comparison import Frame, compare_folder, seeds_in
from affekt.study.conditions import ENSEMBLES, apply_condition, list_conditions
from affekt.study.costs import Cost, cost_of, state_names
from affekt.study.executors import Executor, create_executor
from affekt.study.facts import Facts, read_facts
from affekt.study.folder import RunFolder
from affekt.study.jobs import Job, plan_jobs
from affekt.study.records import provenance
from affekt.study.results import append, read, record_of
from affekt.study.scheduling import Schedule
from affekt.study.scores import PERMUTED
from affekt.study.working import Outcome, finished

MAIN = (
    "baseline",
    "baseline-pretrained",
    "wide-total",
    "ensemble-2",
    "mixture",
    "scalar-gate",
    "untrained-emotion",
    "shuffled-emotion",
    "permuted-affect",
    "learn-e-reg",
)
"""What a study runs unless its recipe says otherwise: the attribution's chain, and the strongest controls beside it."""

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What a study is going to do.

    Attributes:
        recipe: complete.
        conditions: name -> resolved recipe, in order.
        costs: name -> cost of one run.
        inapplicable: name -> why this recipe cannot have it.
        seeds, declared: all, and those that were declared before the first run.
        facts: of the data.
    """

    recipe: Recipe
    conditions: Mapping[str, Recipe]
    costs: Mapping[str, Cost]
    inapplicable: Mapping[str, str]
    seeds: tuple[int, ...]
    declared: tuple[int, ...]
    facts: Facts

    @property
    def jobs(self) -> list[Job]:
        """All jobs, finished ones included."""
        return plan_jobs(self.conditions, self.seeds)


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


def plan(
    recipe: Recipe, *, seeds: int | None = None, declared: int | None = None, data_root: Path | None = None
) -> StudyPlan:
    """Resolve the conditions of a study, and say which do not apply, before anything is trained.

    Args:
        seeds: how many; None: as the recipe declares.
        declared: how many were declared before the first run; None: those of the recipe.

    Raises:
        RecipeError: an unknown condition, a comparison or chain of conditions that are not run, or nothing to run.
        DataError, UsageError: as the readers of the data.
    """
    settings = recipe.study
    chosen = _chosen(recipe)
    facts = read_facts(recipe, data_root=data_root)
    if facts.test_varies:
        # One test set for all seeds: a draw of test items holds for every seed, or there is no interval over both.
        recipe = replace(recipe, target=replace(recipe.target, split_seed=recipe.seed))
    conditions: dict[str, Recipe] = {}
    costs: dict[str, Cost] = {}
    inapplicable: dict[str, str] = {}
    for name in chosen:
        try:
            resolved = apply_condition(recipe, name, facts=facts)
            costs[name] = _times(cost_of(resolved, facts), ENSEMBLES.get(name, 1))
            conditions[name] = resolved
        except RecipeError:
            raise
        except UsageError as error:
            inapplicable[name] = str(error)
    if settings.method not in conditions:
        reason = inapplicable.get(settings.method, "it is not among [study] conditions")
        raise RecipeError(f"[study] method = {settings.method!r}: {reason}")
    asked = declared_comparisons(settings, [*chosen])
    wanted = {name.removesuffix(PERMUTED) for pair in asked for name in pair}
    if absent := sorted(wanted - {*chosen}):
        raise RecipeError(f"[study] comparisons: {', '.join(absent)} is not among [study] conditions")
    first, count = recipe.seed, settings.seeds if seeds is None else seeds
    return StudyPlan(
        recipe=recipe,
        conditions=conditions,
        costs=costs,
        inapplicable=inapplicable,
        seeds=tuple(range(first, first + max(count, declared or 0))),
        declared=tuple(range(first, first + (declared or count))),
        facts=facts,
    )


def _chosen(recipe: Recipe) -> list[str]:
    """The study's conditions by name, in the order in which they are shown."""
    settings, known = recipe.study, list_conditions(recipe)
    names = list(settings.conditions) or [*MAIN, *recipe.conditions]
    if ALL in names:
        names = known
    for name in (*names, settings.method, settings.reference):
        if name not in known:
            raise RecipeError(f"[study]: {unknown('condition', name, [*known, ALL])}")
    for name, _ in declared_chain(settings):
        if settings.chain and name not in names:
            raise RecipeError(f'[study] chain: "{name}" is not among [study] conditions')
    return [name for name in known if name in names]


def _times(cost: Cost, members: int) -> Cost:
    return replace(
        cost,
        trainable=members * cost.trainable,
        total=members * cost.total,
        step=members * cost.step,
        training=members * cost.training,
    )


Listener = Callable[[str], None]


def study(
    recipe: Recipe,
    *,
    out: Path | str,
    seeds: int | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    gpus: tuple[str, ...] = (),
    data_root: Path | None = None,
    progress: Any = None,
    say: Listener = lambda _: None,
) -> StudyResult:
    """Run what is missing of a study, then compare.

    Args:
        out: folder of the study.
        seeds: how many, counted up from the recipe's; None: as the recipe declares. More than were declared when the
            folder was begun are marked as added.
        executor: a name, or an executor.
        workers, gpus: of an executor by name, see :func:`~affekt.study.executors.create_executor`.
        progress: of runs in this process.
        say: called with a line about each run that ends.

    Raises:
        RecipeError: the folder holds another study (the keys that differ), or see :func:`plan`.
        AffektError: a run's predictions were altered.
    """
    folder = RunFolder(Path(out))
    planned = plan_in(recipe, folder, seeds=seeds, data_root=data_root)
    for name, reason in planned.inapplicable.items():
        say(f"{name} does not apply: {reason}")
    folder.claim(replace(planned.recipe, study=replace(planned.recipe.study, seeds=len(planned.declared))))
    frame = frame_of(planned)
    # At once, so that a report can be made of what there is whenever this is stopped.
    compare_folder(folder.path, frame)
    jobs = planned.jobs
    recorded = {record["folder"] for record in read(folder.path)[0]}
    todo = _unfinished(folder.path, jobs)
    for job in jobs:
        if job in todo or not finished(folder.path, job):
            continue
        if job.is_run and job.folder not in recorded:
            append(folder.path, record_of(folder.path, job, planned.costs.get(job.name)))
    failed = _run(planned, folder.path, todo, executor, workers, gpus, data_root, progress, say)
    comparison = compare_folder(folder.path, frame)
    return StudyResult(folder=folder.path, frame=frame, comparison=comparison, failed=failed)


def _unfinished(folder: Path, jobs: list[Job]) -> list[Job]:
    """Jobs to do: unfinished runs, and the unfinished shared work that these need."""
    by_folder = {job.folder: job for job in jobs}
    wanted: set[str] = set()
    waiting = [job.folder for job in jobs if job.is_run]
    while waiting:
        name = waiting.pop()
        if name in wanted or finished(folder, by_folder[name]):
            continue
        wanted.add(name)
        waiting += [need for need in by_folder[name].needs if need in by_folder]
    return [job for job in jobs if job.folder in wanted]


def plan_in(recipe: Recipe, folder: RunFolder, *, seeds: int | None, data_root: Path | None) -> StudyPlan:
    """The plan of a study in its folder, where one was perhaps begun.

    Raises:
        RecipeError: the folder holds another study.
    """
    begun = folder.path / "recipe.toml"
    declared = load_recipe(begun).study.seeds if begun.exists() else None
    if begun.exists():
        # Seeds that were once run all count: nobody picks the number that looks best.
        seeds = max(seeds or recipe.study.seeds, seeds_in(folder.path) - recipe.seed)
    planned = plan(recipe, seeds=seeds, declared=declared, data_root=data_root)
    asked = replace(planned.recipe, study=replace(planned.recipe.study, seeds=len(planned.declared)))
    folder.held(asked)
    return planned


def _run(
    planned: StudyPlan,
    study_folder: Path,
    todo: list[Job],
    executor: str | Executor,
    workers: int | None,
    gpus: tuple[str, ...],
    data_root: Path | None,
    progress: Any,
    say: Listener,
) -> dict[str, str]:
    if not todo:
        return {}
    count = len(todo)
    ended: list[Job] = []

    def end(job: Job, outcome: Outcome) -> None:
        ended.append(job)
        place = f"{len(ended)} of {count}"
        if outcome.status != "finished":
            say(f"{place}: {job.title} failed: {outcome.error}")
            return
        if job.is_run:
            append(study_folder, record_of(study_folder, job, planned.costs.get(job.name)))
        say(f"{place}: {job.title} finished in {outcome.seconds:.0f} s")

    place = (
        create_executor(executor, study_folder, workers=workers, gpus=gpus, data_root=data_root, progress=progress)
        if isinstance(executor, str)
        else executor
    )
    try:
        return Schedule(study=study_folder, jobs=todo, ended=end).run(place)
    finally:
        place.close()


def frame_of(planned: StudyPlan) -> Frame:
    """What a comparison must know of a plan."""
    entries = [e for recipe in planned.conditions.values() for e in provenance(recipe, "train")]
    return Frame(
        recipe=planned.recipe,
        conditions=tuple(planned.conditions),
        inapplicable=planned.inapplicable,
        seeds=planned.seeds,
        declared=planned.declared,
        classes=planned.facts.classes,
        state_names=state_names(planned.conditions[planned.recipe.study.method], planned.facts),
        provenance=tuple({entry["name"]: entry for entry in entries}.values()),
    )
