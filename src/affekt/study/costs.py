"""Costs: parameters, and floating-point operations of training, of what a recipe describes; counted, not typed in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from affekt.data.stimuli import Labels
from affekt.errors import CheckpointError
from affekt.perception import AffectNetwork, AffectTask
from affekt.recipe import AugmentationSettings, Recipe, TrainingSettings
from affekt.regulation import NoEmotion, RegulationTask
from affekt.saving import local_folder, read_header
from affekt.study.building import affect_task, target_task
from affekt.study.earlier import earlier_classifier
from affekt.study.facts import Facts, source_key
from affekt.study.machines.work import training_work
from affekt.study.memory import run_memory
from affekt.study.preparing import needs_emotional, no_encoder, pretrains
from affekt.study.records import parameters
from affekt.study.relabelling import AFFECT, SHUFFLED
from affekt.study.source import source_part, source_task, trains_source
from affekt.training.plan import Plan
from affekt.training.sizes import at_each_size
from affekt.training.task import Batch, Task

PROBED = 2
"""Pictures of the batch on which operations are counted: batch norm needs two."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run costs, whatever the machine.

    Attributes:
        trainable, total: parameters.
        step: operations of forward and backward pass, a training picture or clip.
        training: operations of the training on the target, in all folds, the emotional encoder's forward passes
            included, validation and test not.
        pretraining: of the own training of the emotional encoder, or of the network that a classifier starts from; 0
            where that is given or absent.
        memory: bytes that a run holds at most, of a GPU's or of its own, estimated; 0: unknown.
    """

    trainable: int
    total: int
    step: float
    training: float
    pretraining: float
    memory: int = 0


def cost_of(recipe: Recipe, facts: Facts) -> Cost:
    """The cost of a resolved recipe, by building its networks with random weights and counting on two pictures.

    Operations are those of matrix products, convolutions and attention, a multiplication and an addition each, as
    torch's own counter has them, of grouped convolutions those of their groups alone.

    Raises:
        UsageError: the recipe's networks cannot be built; so this is also a check of the recipe.
    """
    with torch.random.fork_rng(devices=[]):
        if recipe.model.kind == "earlier":
            return _earlier_cost(recipe, facts)
        task = network_task(recipe, facts)
        size = min(recipe.target.image_size, recipe.model.image_size or recipe.target.image_size)
        step = operations(task, size, recipe.training)
        pictures = items_seen(recipe.training, facts.train)
        training = step * pictures
        if isinstance(task, RegulationTask) and task.cache is not None:
            training -= _saved(task, size, pictures, facts.train)
        size_of = parameters(task.model)
        return Cost(
            trainable=size_of["trainable"],
            total=size_of["total"],
            step=step,
            training=training,
            pretraining=pretraining_operations(recipe, facts) + source_operations(recipe, facts),
            memory=run_memory(task, few(size, len(facts.classes)), recipe.training, recipe.target, facts.train),
        )


def _earlier_cost(recipe: Recipe, facts: Facts) -> Cost:
    """Features are computed once a picture; what the rules of the learner take beside that is not counted."""
    plain = replace(recipe, model=replace(recipe.model, initial="random"))
    model = earlier_classifier(plain, facts.classes)
    size = min(recipe.target.image_size, model.image_size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.features(torch.rand(1, 3, size, size))
    size_of = parameters(model)
    each = float(counter.get_total_flops())
    return Cost(
        trainable=size_of["trainable"],
        total=size_of["total"],
        step=each,
        training=each * facts.train,
        pretraining=0.0,
    )


def pretraining_operations(recipe: Recipe, facts: Facts) -> float:
    """Operations of the affect network's training; 0 where the recipe trains none."""
    if not pretrains(recipe) or facts.affective is None:
        return 0.0
    task = pretraining_task(recipe, facts)
    size = min(recipe.affective.image_size, recipe.emotional.image_size or recipe.affective.image_size)
    engine = recipe.emotional.training
    return operations(task, size, engine) * items_seen(engine, facts.affective_train)


def source_operations(recipe: Recipe, facts: Facts) -> float:
    """Operations of the training of ``[source]``; 0 where the recipe starts from none, or from a given one.

    Raises:
        RecipeError: a model that cannot start from one.
    """
    if not trains_source(recipe):
        return 0.0
    own, known = source_part(recipe), facts.sources[source_key(recipe)]
    task = source_task(own, known.classes)
    size = min(own.source.image_size, own.model.image_size or own.source.image_size)
    engine = own.source.training
    return operations(task, size, engine) * items_seen(engine, known.train)


def operations(task: Task, image_size: int, engine: TrainingSettings) -> float:
    """Operations of a forward and a backward pass of a task's losses, a picture; of several sizes, their mean.

    Each size counts by its epochs. Nothing is computed; the task is left without gradients.

    Raises:
        UsageError: sizes at which it cannot train.
    """
    return sum(share * _operations(task, image_size) for share in at_each_size(task, engine))


def few(image_size: int, classes: int) -> Batch:
    """Two pictures of noise, with a class each."""
    images = torch.rand(PROBED, 3, image_size, image_size)
    labels = {"category": torch.arange(PROBED) % max(classes, 1)}
    return Batch(images=images, labels=labels, items=torch.arange(PROBED), epoch=0, step=0)


def _operations(task: Task, image_size: int) -> float:
    work = training_work(
        task,
        batch_size=PROBED,
        stored_size=image_size,
        image_size=image_size,
        augmentation=AugmentationSettings(crop="none", flip=0.0),
        precision="fp32",
        optimiser="sgd",
        cache_filled=False,
    )
    return float(work.flops.sum()) / PROBED


def items_seen(engine: TrainingSettings, items: int) -> int:
    """Pictures, or clips, that go through a whole training."""
    epochs = min(engine.epochs, engine.stop_after or engine.epochs)
    plan = Plan(items=items, batch_size=engine.batch_size, epochs=epochs, seed=0)
    return plan.steps * min(items, engine.batch_size)


def _saved(task: RegulationTask, size: int, pictures: int, items: int) -> float:
    """Operations of the emotional encoder that the affect cache does without."""
    cache = task.cache
    if cache is None or (task.model.influence.needs_features and not cache.with_features):
        return 0.0
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        task.model.emotional(torch.rand(1, 3, size, size))
    return float(counter.get_total_flops()) * (pictures - items)


def state_names(recipe: Recipe, facts: Facts) -> tuple[str, ...]:
    """What each number of the affect state of a resolved recipe is about; none where it has no emotional encoder."""
    found = _emotional(recipe, facts) if recipe.model.kind == "regulated" else None
    return () if found is None else found.state_names


def _emotional(recipe: Recipe, facts: Facts) -> AffectNetwork | None:
    """An affect network of the recipe's shape, with random weights."""
    wanted = needs_emotional(recipe) or recipe.regulation.regulator == "features"
    if not wanted:
        return None
    if recipe.emotional.model:
        try:
            return AffectNetwork.from_config(read_header(local_folder(recipe.emotional.model))["config"])
        except CheckpointError as error:
            raise no_encoder(recipe.emotional.model, error) from None
    return pretraining_task(recipe, facts).model


def pretraining_task(recipe: Recipe, facts: Facts) -> AffectTask:
    """The pre-training of a recipe, with random weights."""
    assert facts.affective is not None
    settings = replace(recipe.emotional, initial="random", head_start="random")
    labels = _relabelled(facts.affective, recipe.affective.labels)
    return affect_task(replace(recipe, emotional=settings), labels, seed=recipe.seed)


def _relabelled(labels: Labels, which: str) -> Labels:
    if which in (AFFECT, SHUFFLED):
        return labels
    if which not in labels.extra:  # a column that is read when it is asked for: its words are not known yet
        return Labels(categories=("one", "other"), category=labels.category)
    words = labels.extra[which].astype(str)
    categories = tuple(word for word in np.unique(words).tolist() if word)
    return Labels(categories=categories, category=np.zeros(len(words), dtype=np.int64))


def network_task(recipe: Recipe, facts: Facts) -> Task:
    """The task of a recipe on the target, all of it with random weights."""
    emotional = _emotional(recipe, facts)
    plain = replace(recipe, model=replace(recipe.model, initial="random"))
    if recipe.model.kind == "classifier":
        return target_task(plain, facts.classes, None, seed=recipe.seed)
    if recipe.regulation.emotional == "none":
        inputs = None if emotional is None else len(emotional.state_names)
        return target_task(plain, facts.classes, NoEmotion(), seed=recipe.seed, gate_inputs=inputs)
    return target_task(plain, facts.classes, emotional, seed=recipe.seed)
