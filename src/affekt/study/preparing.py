"""Preparing: the task of a run on the target, with its emotional encoder loaded, made or pre-trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from affekt.errors import CheckpointError, RecipeError
from affekt.perception import AffectNetwork
from affekt.recipe import Recipe
from affekt.regulation import NoEmotion
from affekt.saving import load
from affekt.study.building import affect_task, affective_data, target_task
from affekt.study.pretraining import pretrain_for
from affekt.study.records import located
from affekt.study.source import SOURCE, needs_source, train_source
from affekt.training.planning import check_batch
from affekt.training.task import Task
from affekt.training.whitening import whiten_by

EMOTIONAL = "emotional"
"""What ``[model] initial`` says of a classifier that starts from the affect network."""


def needs_emotional(recipe: Recipe) -> bool:
    """Whether a run asks for an affect network at all."""
    if recipe.of_clips:
        return False
    if recipe.model.kind != "regulated":
        return recipe.model.initial == EMOTIONAL
    return recipe.regulation.emotional != "none"


def pretrains(recipe: Recipe) -> bool:
    """Whether a run waits for an affect network of its own to be trained: it asks for one, and none is given."""
    untrained = recipe.model.kind == "regulated" and not recipe.regulation.pretrained
    return needs_emotional(recipe) and not recipe.emotional.model and not untrained


def prepared_task(
    recipe: Recipe,
    classes: tuple[str, ...],
    folder: Path,
    *,
    claim: Callable[[], None],
    data_root: Path | None,
    progress: Any,
    cache_folder: Path | None = None,
) -> Task:
    """The task of a run.

    Args:
        folder: of the run; an emotional encoder that is pre-trained for it alone goes to ``folder/emotional``.
        cache_folder: where an affect cache is shared with other runs.
        claim: called when all that can be wrong with the recipe was looked at, and before anything is trained.

    Raises:
        RecipeError: settings that exclude each other, or a given model that is no affect network.
    """
    if recipe.model.kind == "regulated" and recipe.model.initial == EMOTIONAL:
        raise RecipeError(
            '[model] initial = "emotional": is for one classifier (kind = "classifier"); for a second branch that '
            'starts from the affect network write [regulation] influence = "initialised"'
        )
    if needs_source(recipe):
        return _from_source(recipe, classes, folder, claim=claim, data_root=data_root, progress=progress)
    if not needs_emotional(recipe):
        task = _without_emotional(recipe, classes, folder, data_root)
        claim()
        return task
    around = partial(_around, recipe, classes, cache_folder)
    if recipe.emotional.model:
        task = _with_given(recipe, around, folder)
        claim()
        return task
    return _with_own(recipe, around, folder, claim=claim, data_root=data_root, progress=progress)


Around = Callable[[AffectNetwork, Path | None], Task]
"""An affect network, and its folder where it is trained -> the task with it."""


def _with_given(recipe: Recipe, around: Around, folder: Path) -> Task:
    """
    Raises:
        RecipeError: a trained model where none that is trained is wanted, or one that is no affect network.
    """
    given = recipe.emotional.model
    if not recipe.regulation.pretrained:
        raise RecipeError(
            f"[regulation] pretrained = false, but [emotional] model = {given!r} is trained; leave the model out, and "
            "an encoder with the initial weights of [emotional] is made"
        )
    place = located(given, folder)
    return around(_affect_network(place, given), place)


def _with_own(
    recipe: Recipe,
    around: Around,
    folder: Path,
    *,
    claim: Callable[[], None],
    data_root: Path | None,
    progress: Any,
) -> Task:
    """With an emotional encoder that is made for this run: pre-trained in ``folder/emotional``, or left untrained."""
    affective = affective_data(recipe, seed=recipe.seed, data_root=data_root).splits["train"]
    untrained = affect_task(recipe, affective.labels, seed=recipe.seed)
    # Built once before the pre-training, so that an influence or backbone that cannot work is refused at once.
    around(untrained.model, None)
    if recipe.regulation.pretrained:
        check_batch(recipe.emotional.training, len(affective), table="emotional.training")
    claim()
    if not recipe.regulation.pretrained:
        whiten_by(untrained, affective)
        untrained.calibrate(affective)
        return around(untrained.model, None)
    pretrained = pretrain_for(recipe, out=folder / "emotional", data_root=data_root, progress=progress)
    return around(load(pretrained.model), pretrained.model)


def _from_source(
    recipe: Recipe,
    classes: tuple[str, ...],
    folder: Path,
    *,
    claim: Callable[[], None],
    data_root: Path | None,
    progress: Any,
) -> Task:
    """A classifier that starts from the network of ``[source]``: the given one, else one that is trained in
    ``folder/source``."""

    def starting(initial: str) -> Task:
        model = replace(recipe.model, initial=initial)
        return target_task(replace(recipe, model=model), classes, None, seed=recipe.seed, with_head=False)

    if recipe.source.model:
        place = located(recipe.source.model, folder)
        task = starting(str(place))
        claim()
        return task
    starting("random")  # so that a network that cannot work is refused before anything is trained
    check_batch(recipe.source.training, table="source.training")
    claim()
    trained = train_source(recipe, out=folder / SOURCE, data_root=data_root, progress=progress)
    return starting(str(trained.model))


def _affect_network(place: Path, written: str) -> AffectNetwork:
    # As written where it is no folder: it may be a repository of the hub.
    try:
        emotional = load(place if place.exists() else written)
    except CheckpointError as error:
        raise no_encoder(written, error) from None
    if not isinstance(emotional, AffectNetwork):
        raise RecipeError(f"[emotional] model = {written!r}: a {type(emotional).__name__}, not an affect network")
    return emotional


def no_encoder(written: str, error: CheckpointError) -> RecipeError:
    """What is wrong with ``[emotional] model``, with the command that makes one."""
    return RecipeError(f"[emotional] model = {written!r}: {error}; e.g. affekt pretrain oasis --out runs/oasis")


def _around(
    recipe: Recipe, classes: tuple[str, ...], cache_folder: Path | None, emotional: AffectNetwork, place: Path | None
) -> Task:
    """A regulated task, or a classifier that starts from the affect network in ``place``."""
    if recipe.model.kind == "regulated":
        return target_task(recipe, classes, emotional, seed=recipe.seed, cache_folder=cache_folder)
    initial = "random" if place is None else str(place)
    return target_task(replace(recipe, model=replace(recipe.model, initial=initial)), classes, None, seed=recipe.seed)


def _without_emotional(recipe: Recipe, classes: tuple[str, ...], folder: Path, data_root: Path | None) -> Task:
    make = partial(target_task, recipe, classes, seed=recipe.seed)
    if recipe.model.kind == "classifier":
        return make(None)
    inputs = None
    if recipe.regulation.regulator == "features" and recipe.emotional.model:
        inputs = len(_affect_network(located(recipe.emotional.model, folder), recipe.emotional.model).state_names)
    elif recipe.regulation.regulator == "features":
        labels = affective_data(recipe, seed=recipe.seed, data_root=data_root).splits["train"].labels
        inputs = len(affect_task(recipe, labels, seed=recipe.seed).model.state_names)
    return make(NoEmotion(), gate_inputs=inputs)
