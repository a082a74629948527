"""Forecasting: what each kind of a study's trainings would take on a machine that was measured before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from affekt.data.loading import GIB
from affekt.errors import UsageError
from affekt.recipe import Recipe
from affekt.study.estimating import Estimate, disk_of, evaluations
from affekt.study.facts import Facts
from affekt.study.jobs import Job
from affekt.study.machines.machine import Machine
from affekt.study.machines.predicting import step_seconds
from affekt.study.machines.work import Work, scoring_work, training_work
from affekt.study.study_plan import StudyPlan
from affekt.study.trainings import SECTIONS, Training, data_of, kind_of, task_of, training_of
from affekt.study.tuning import jobs_of
from affekt.training.plan import Plan
from affekt.training.sizes import at_each_size, epochs_at
from affekt.training.task import Task

Sizes = Callable[[Recipe, str], Mapping[str, int]]
"""(recipe, section) -> split -> pictures: :func:`sizes_of_data`, or :func:`~affekt.study.paper.sizes_on_paper`."""


def sizes_of_data(data_root: Path | None) -> Sizes:
    """Sizes by opening the data sets, each once."""
    known: dict[str, Mapping[str, int]] = {}

    def sizes(recipe: Recipe, section: str) -> Mapping[str, int]:
        settings = getattr(recipe, section)
        key = repr((settings, recipe.regulation.regulator_data, recipe.model.kind))
        if key not in known:
            known[key] = data_of(recipe, section, data_root=data_root).sizes
        return known[key]

    return sizes


@dataclass(frozen=True, kw_only=True)
class SizedTraining(Training):
    """A training of so many pictures: what its cost follows from."""

    sizes: Mapping[str, int]

    @property
    def batch(self) -> int:
        """Pictures a step."""
        return min(self.engine.batch_size, self.sizes["train"])

    @property
    def scored(self) -> int:
        """Pictures a step of an evaluation."""
        others = [size for split, size in self.sizes.items() if split != "train"]
        return min(self.engine.evaluation_batch_size, max(others, default=self.sizes["train"]))

    @property
    def epochs(self) -> int:
        """That are trained; early stopping is not foreseen."""
        return min(self.engine.epochs, self.engine.stop_after or self.engine.epochs)

    @property
    def in_memory(self) -> bool:
        """Whether its pictures are decoded once."""
        return self.sizes["train"] * 3 * self.pictures.image_size**2 <= self.pictures.memory * GIB


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What networks of one shape do: a step of training, one of scoring, and bytes of model and checkpoint.

    Attributes:
        steps: with the share of the epochs that have such: several where pictures are of several sizes.
    """

    steps: tuple[tuple[float, Work], ...]
    scoring: Work
    model: int
    checkpoint: int


@dataclass(kw_only=True)
class Shapes:
    """Shapes by what they follow from: networks that differ in weights, labels or regulator are built once.

    How many classes or ratings a head has makes no difference that can be seen, and is not looked at.

    Args:
        said: called with the name of each training, once, before it is counted for the first time.
    """

    said: Callable[[str], None] = lambda _: None
    _known: dict[str, Shape] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    def of(self, job: Job, facts: Facts, training: SizedTraining, precision: str) -> Shape:
        """The shape of what a job trains."""
        key = _key(job, training, precision)
        if key not in self._known:
            self._say(job.name)
            self._known[key] = _shape(job, facts, training, precision)
        return self._known[key]

    def _say(self, name: str) -> None:
        if name not in self._named:
            self._named.add(name)
            self.said(name)


@dataclass(kw_only=True)
class Forecast:
    """Seconds of jobs on a machine.

    Args:
        machine: as it was measured.
        facts: of the study's data.
        sizes: of its data sets.
        shapes: that are known; shared between forecasts of several machines and recipes.
    """

    machine: Machine
    facts: Facts
    sizes: Sizes
    shapes: Shapes

    def estimates(self, planned: StudyPlan) -> list[Estimate]:
        """One of every kind of training in a study, as :func:`affekt.study.probing.probe` has them.

        Raises:
            UsageError: a precision in which the machine was not measured.
        """
        kinds: dict[str, list[Job]] = {}
        for job in (*planned.jobs, *jobs_of(planned)):
            tried = ", learning rates" if job.kind == "tune" else ""
            kinds.setdefault(kind_of(job) + tried, []).append(job)
        return [self.estimate(name, jobs) for name, jobs in kinds.items() if jobs[0].kind != "ensemble"]

    def estimate(self, name: str, jobs: list[Job]) -> Estimate:
        """Of jobs that differ by seed alone."""
        training = self._training(jobs[0])
        shape = self._shape(jobs[0], training)
        return Estimate(
            name=name,
            jobs=len(jobs),
            step=self._step(shape, training),
            seconds=self._seconds(jobs[0], shape, training),
            disk=shape.model + training.engine.keep_checkpoints * shape.checkpoint,
        )

    def seconds(self, job: Job) -> float:
        """Of one job; averaging an ensemble takes none."""
        if job.kind == "ensemble":
            return 0.0
        training = self._training(job)
        return self._seconds(job, self._shape(job, training), training)

    def fitting(self, job: Job) -> float:
        """Seconds until the last step of a job is done, validated and saved; what is scored after it left out."""
        training = self._training(job)
        shape = self._shape(job, training)
        looks = [*training.sizes.values()]
        return self._seconds(job, shape, training) - self._scoring(looks, shape, training)

    def _shape(self, job: Job, training: SizedTraining) -> Shape:
        named = training.engine.precision
        return self.shapes.of(job, self.facts, training, self.machine.precision if named == "auto" else named)

    def _training(self, job: Job) -> SizedTraining:
        if job.recipe.of_clips:
            raise UsageError("--machine: is for recipes about pictures; leave it out: steps of clips are timed here")
        training = training_of(job)
        sizes = dict(self.sizes(job.recipe, training.section))
        if job.kind == "tune":
            sizes.pop("test", None)
        return SizedTraining(**vars(training), sizes=sizes)

    def _seconds(self, job: Job, shape: Shape, training: SizedTraining) -> float:
        """Steps, evaluations and checkpoints; of an earlier learner its features, which it takes twice."""
        engine, sizes = training.engine, training.sizes
        last = self._scoring([*sizes.values()], shape, training)
        if job.recipe.model.kind == "earlier" and job.kind not in SECTIONS:
            return 2 * last
        plan = Plan(items=sizes["train"], batch_size=engine.batch_size, epochs=training.epochs, seed=0)
        looks = evaluations(replace(engine, epochs=training.epochs)) * [sizes.get("validation", 0)]
        saved = math.ceil(plan.steps / (engine.checkpoint_every or plan.steps_per_epoch))
        kept = saved * shape.checkpoint / self.machine.writing
        return plan.steps * self._step(shape, training) + self._scoring(looks, shape, training) + kept + last

    def _scoring(self, looks: Sequence[int], shape: Shape, training: SizedTraining) -> float:
        """Seconds of evaluations of so many pictures each."""
        batches = sum(math.ceil(size / training.scored) for size in looks)
        return batches * step_seconds(shape.scoring, self.machine, training.engine.precision)

    def _step(self, shape: Shape, training: SizedTraining) -> float:
        """Seconds of a step; pictures that do not fit in memory are decoded beside it, by all cores."""
        precision = training.engine.precision
        step = sum(share * step_seconds(work, self.machine, precision) for share, work in shape.steps)
        if training.in_memory:
            return step
        decoding = training.batch / (self.machine.decoding * self.machine.cores)
        # On a CPU the cores that decode are those that train.
        return max(step, decoding) if self.machine.queues else step + decoding


def _key(job: Job, training: SizedTraining, precision: str) -> str:
    engine, recipe = training.engine, job.recipe
    epochs = epochs_at(engine)
    parts: list[object] = [job.kind in SECTIONS and job.kind, precision, training.image_size, training.augmentation]
    parts += [
        training.batch,
        training.scored,
        engine.accumulate,
        engine.optimiser,
        sorted(((size, count / epochs.total()) for size, count in epochs.items()), key=str),
    ]
    emotional = (recipe.emotional.backbone, recipe.emotional.image_size or recipe.affective.image_size)
    if job.kind == "pretrain":
        return repr([*parts, emotional, recipe.emotional.trainable])
    model, regulation = recipe.model, recipe.regulation
    parts += [model.kind, model.backbone, model.image_size or recipe.target.image_size, model.width, model.trainable]
    if model.kind == "regulated":
        without = regulation.emotional == "none"
        kept = (regulation.affect_cache, regulation.cached_features)
        parts += [without or (*emotional, *kept), regulation.emotional, regulation.influence, regulation.losses]
        parts += [regulation.regulator_data]
    return repr(parts)


def _shape(job: Job, facts: Facts, training: SizedTraining, precision: str) -> Shape:
    task, engine = task_of(job, facts), training.engine
    model, checkpoints = disk_of(task.model, replace(engine, keep_checkpoints=1))
    return Shape(
        steps=tuple(_steps(task, training, precision)),
        scoring=scoring_work(task, batch_size=training.scored, image_size=training.image_size, precision=precision),
        model=model,
        checkpoint=checkpoints,
    )


def _steps(task: Task, training: SizedTraining, precision: str) -> Iterator[tuple[float, Work]]:
    engine = training.engine
    for share in at_each_size(task, engine):
        work = training_work(
            task,
            batch_size=training.batch,
            stored_size=training.pictures.image_size,
            image_size=training.image_size,
            augmentation=training.augmentation,
            precision=precision,
            optimiser=engine.optimiser,
            parts=engine.accumulate,
            held_out="held-out" in training.sizes,
        )
        yield share, work
