"""Jobs: the runs of a study and what each waits for; work that several runs share is one job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from affekt.randomness import stream
from affekt.recipe import Recipe, to_toml
from affekt.study.conditions import ENSEMBLES
from affekt.study.preparing import pretrains
from affekt.study.pretraining import follows_another, own_part, true_one
from affekt.study.source import source_part, trains_source

SHARED = "shared"
UP = "../../.."
"""From a run's folder, ``runs/<condition>/seed-<n>`` or ``tuning/<condition>/rate-<x>``, to the study's."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training, or the average of some.

    Attributes:
        kind: ``pretrain`` an affect network, train a ``source`` network, ``train`` on the target, ``tune`` (train, and
            score validation alone), or average an ``ensemble``.
        folder: within the study's.
        recipe: resolved, with its seed.
        name: the condition, or what is shared.
        seed: of the study that it belongs to.
        needs: folders of jobs that must be finished before.
        members: of an ensemble: folders of its members.
        real: of a pre-training with shuffled labels: folder of the one with the true labels.
        memory: bytes that it holds at most, estimated; 0: unknown.
    """

    kind: Literal["pretrain", "source", "train", "tune", "ensemble"]
    folder: str
    recipe: Recipe
    name: str
    seed: int
    needs: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    real: str = ""
    memory: int = 0

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name}, {self.column}"

    @property
    def column(self) -> str:
        """What tells jobs of one name apart, for people."""
        if self.kind == "tune":
            return f"learning rate {self.recipe.training.learning_rate:g}"
        return f"seed {self.seed}"

    @property
    def is_run(self) -> bool:
        """Whether it is a run of a condition; else it is shared work, or a trial."""
        return self.folder.startswith("runs/")

    @property
    def is_shared(self) -> bool:
        """Whether it is there for other jobs alone."""
        return self.folder.startswith(f"{SHARED}/")


def plan_jobs(conditions: Mapping[str, Recipe], seeds: Iterable[int]) -> list[Job]:
    """The jobs of a study, each after those that it needs; seed by seed, so that one that is stopped has whole seeds.

    Args:
        conditions: name -> resolved recipe, whose seed is replaced.
        seeds: of the study.
    """
    jobs: dict[str, Job] = {}
    for seed in seeds:
        for name, recipe in conditions.items():
            for job in _jobs_of(name, replace(recipe, seed=seed), conditions, seed):
                jobs.setdefault(job.folder, job)
    return list(jobs.values())


def run_folder(condition: str, seed: int) -> str:
    """Of a run, within the study."""
    return f"runs/{condition}/seed-{seed}"


def _jobs_of(name: str, recipe: Recipe, conditions: Mapping[str, Recipe], seed: int) -> list[Job]:
    if name in ENSEMBLES:
        return _ensemble(name, recipe, conditions, seed)
    return _training(Job(kind="train", folder=run_folder(name, seed), recipe=recipe, name=name, seed=seed))


def tuning_jobs(conditions: Mapping[str, Recipe], rates: Iterable[float], seed: int) -> list[Job]:
    """The jobs that choose a learning rate for each of these conditions, with a seed that the study does not use."""
    jobs: dict[str, Job] = {}
    for name, recipe in conditions.items():
        for rate in rates:
            tried = replace(recipe, seed=seed, training=replace(recipe.training, learning_rate=rate))
            place = tuning_folder(name, rate)
            for job in _training(Job(kind="tune", folder=place, recipe=tried, name=name, seed=seed)):
                jobs.setdefault(job.folder, job)
    return list(jobs.values())


def tuning_folder(condition: str, rate: float) -> str:
    """Of a trial of a learning rate, within the study; as deep as a run's."""
    return f"tuning/{condition}/rate-{rate:g}"


def _training(job: Job) -> list[Job]:
    """A job that trains on the target, after those that make its emotional encoder or the network it starts from."""
    if trains_source(job.recipe):
        source = _source(job.recipe, job.seed)
        settings = replace(job.recipe.source, model=f"{UP}/{source.folder}/model")
        return [source, replace(job, recipe=replace(job.recipe, source=settings), needs=(source.folder,))]
    shared = _pretraining(job.recipe, job.seed)
    if not shared:
        return [job]
    model = f"{UP}/{shared[-1].folder}/model"
    recipe = replace(job.recipe, emotional=replace(job.recipe.emotional, model=model))
    return [*shared, replace(job, recipe=recipe, needs=(shared[-1].folder,))]


def _pretraining(recipe: Recipe, seed: int) -> list[Job]:
    """The jobs of a run's emotional encoder; none where it is given, absent or untrained."""
    if not pretrains(recipe):
        return []
    own = own_part(recipe)
    if not follows_another(own):
        return [_shared(own, "emotional encoder", seed)]
    true = _shared(own_part(true_one(recipe)), "emotional encoder", seed)
    shuffled = _shared(own, "emotional encoder of shuffled labels", seed)
    return [true, replace(shuffled, needs=(true.folder,), real=true.folder)]


def _source(recipe: Recipe, seed: int) -> Job:
    """The network that a run starts from, shared by all that differ from it in attention or in the target's training
    alone."""
    own = source_part(recipe)
    name = f"{own.model.backbone} on {own.source.name}, {own.source.task}"
    return Job(kind="source", folder=f"{SHARED}/source-{digest(own)}", recipe=own, name=name, seed=seed)


def _shared(recipe: Recipe, name: str, seed: int) -> Job:
    folder = f"{SHARED}/emotional-{digest(recipe)}"
    return Job(kind="pretrain", folder=folder, recipe=recipe, name=name, seed=seed)


def _ensemble(name: str, recipe: Recipe, conditions: Mapping[str, Recipe], seed: int) -> list[Job]:
    """Members have the split and pictures of the seed, and order, augmentation and weights of their own; the first is
    the study's own baseline where that is the same."""
    member = replace(recipe, target=replace(recipe.target, split_seed=_split_seed(recipe)))
    jobs, folders = [], []
    if conditions.get("baseline") is not None and replace(conditions["baseline"], seed=seed) == recipe:
        jobs += _jobs_of("baseline", recipe, conditions, seed)
        folders.append(run_folder("baseline", seed))
    while len(folders) < ENSEMBLES[name]:
        own = replace(member, seed=member_seed(seed, len(folders)))
        folder = f"{SHARED}/member-{digest(own)}"
        title = f"ensemble member {len(folders) + 1}"
        jobs.append(Job(kind="train", folder=folder, recipe=own, name=title, seed=seed))
        folders.append(folder)
    members = tuple(folders)
    whole = Job(
        kind="ensemble",
        folder=run_folder(name, seed),
        recipe=recipe,
        name=name,
        seed=seed,
        needs=members,
        members=members,
    )
    return [*jobs, whole]


def _split_seed(recipe: Recipe) -> int:
    return recipe.seed if recipe.target.split_seed is None else recipe.target.split_seed


def member_seed(seed: int, member: int) -> int:
    """Seed of an ensemble's member, far from those that people count up."""
    return stream("ensemble member", seed, member) % 2**31


def digest(recipe: Recipe) -> str:
    """Twelve hex digits of what a recipe says."""
    return hashlib.sha256(to_toml(recipe).encode()).hexdigest()[:12]
