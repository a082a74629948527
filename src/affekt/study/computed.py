"""Computed conditions: controls whose keys follow from the recipe, its data and what the method costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affekt.recipe import Recipe, load_recipe
from affekt.study.costs import cost_of
from affekt.study.facts import Facts
from affekt.study.matching import DoesNotApply, matched_epochs, matched_width
from affekt.study.preparing import EMOTIONAL

Changes = Mapping[str, Any]
"""None puts a key back to its default."""

PREFERRED = ("scene", "theme_category")
"""Label columns that are taken for ``other-task`` before others."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A condition by what computes its keys.

    Attributes:
        about: what it is, in one line.
        changes: (recipe, the method's recipe, facts) -> dotted keys to change.
        matched: whether the method's recipe is looked at.
    """

    about: str
    changes: Callable[[Recipe, Recipe, Facts], Changes]
    matched: bool = False


def _baseline_pretrained(recipe: Recipe, _method: Recipe, _facts: Facts) -> Changes:
    initial = _starting_weights(recipe)
    if initial == "random":
        raise DoesNotApply("the emotional encoder starts from random weights, as the baseline does")
    return _like_emotional(recipe) | {"model.initial": initial}


def _transfer(recipe: Recipe, _method: Recipe, _facts: Facts) -> Changes:
    return _like_emotional(recipe) | {"model.initial": EMOTIONAL}


def _like_emotional(recipe: Recipe) -> dict[str, Any]:
    """One classifier with the emotional encoder's backbone and picture size."""
    settings = _emotional_settings(recipe)
    size = settings.emotional.image_size or settings.affective.image_size
    return {
        "model.kind": "classifier",
        "model.backbone": settings.emotional.backbone,
        "model.image_size": size,
        "model.width": None,
    }


def _starting_weights(recipe: Recipe) -> str:
    return _emotional_settings(recipe).emotional.initial


def _emotional_settings(recipe: Recipe) -> Recipe:
    """The recipe that says how the emotional encoder was made: this one, or that of the run it is given from.

    Raises:
        DoesNotApply: a given encoder that does not lie in the folder of its run.
    """
    if not recipe.emotional.model:
        return recipe
    held = Path(recipe.emotional.model).parent / "recipe.toml"
    if not held.exists():
        raise DoesNotApply("the emotional encoder is given without the folder of its run, which says how it was made")
    return load_recipe(held)


def _longer(recipe: Recipe, method: Recipe, facts: Facts) -> Changes:
    base = replace(recipe, model=replace(recipe.model, kind="classifier"))
    mine, wanted = cost_of(base, facts).training, cost_of(method, facts).training
    engine = recipe.training
    found: dict[str, Any] = {
        "model.kind": "classifier",
        "training.epochs": matched_epochs(engine.epochs, mine, wanted),
        "training.early_stop": None,
    }
    if engine.stop_after is not None:
        found["training.stop_after"] = matched_epochs(engine.stop_after, mine, wanted)
    return found


def _wide(which: str) -> Callable[[Recipe, Recipe, Facts], Changes]:
    def changes(recipe: Recipe, method: Recipe, facts: Facts) -> Changes:
        parameters = getattr(cost_of(method, facts), which)
        return {"model.kind": "classifier", "model.width": matched_width(recipe, len(facts.classes), parameters)}

    return changes


def _other_task(recipe: Recipe, _method: Recipe, facts: Facts) -> Changes:
    if recipe.emotional.model:
        raise DoesNotApply("the emotional encoder is given; other labels need its pre-training in [affective]")
    annotated: dict[str, Any] = {}
    columns = list(facts.columns)
    if recipe.affective.name == "emoset" and not recipe.affective.options.get("annotations"):
        columns, annotated = ["scene"], {"affective.options.annotations": True}
    if not columns:
        raise DoesNotApply(
            f"{recipe.affective.name}: no labels but affect were read; a table's further columns are named in "
            "[affective] options.extra"
        )
    column = next((name for name in PREFERRED if name in columns), columns[0])
    return annotated | {
        "affective.labels": column,
        "emotional.categories": "cross-entropy",
        "emotional.ratings": (),
        "emotional.head_start": "random",
    }


def _random_emotion(recipe: Recipe, _method: Recipe, _facts: Facts) -> Changes:
    if recipe.emotional.model:
        raise DoesNotApply("the emotional encoder is given; what it would be with random weights is not known")
    if recipe.emotional.initial == "random":
        raise DoesNotApply("the emotional encoder starts from random weights: untrained-emotion is this control")
    return {"regulation.pretrained": False, "emotional.initial": "random", "emotional.head_start": "random"}


def _earlier(learner: str) -> Callable[[Recipe, Recipe, Facts], Changes]:
    def changes(recipe: Recipe, _method: Recipe, _facts: Facts) -> Changes:
        found = _like_emotional(recipe) | {"model.kind": "earlier", "model.learner": learner}
        return found | {"model.initial": _starting_weights(recipe)}

    return changes


COMPUTED: Mapping[str, Computed] = {
    "baseline-pretrained": Computed(
        about="one classifier that starts from the emotional encoder's own starting weights",
        changes=_baseline_pretrained,
    ),
    "longer": Computed(
        about="the baseline with as many training operations as the method", changes=_longer, matched=True
    ),
    "wide-trainable": Computed(
        about="one wider network with as many parameters as the method learns", changes=_wide("trainable"), matched=True
    ),
    "wide-total": Computed(
        about="one wider network with as many parameters as the method has, emotional encoder included",
        changes=_wide("total"),
        matched=True,
    ),
    "transfer": Computed(
        about="one classifier that starts from the trained emotional encoder, all of it learning", changes=_transfer
    ),
    "linear-probe": Computed(
        about="a linear head on frozen features of the emotional encoder's starting weights", changes=_earlier("linear")
    ),
    "back-propagation": Computed(
        about="the network of emnn on the same frozen features, without its emotional weights",
        changes=_earlier("back-propagation"),
    ),
    "emnn": Computed(
        about="emotional back-propagation (Khashman 2008) on the same frozen features", changes=_earlier("emnn")
    ),
    "bel": Computed(
        about="brain emotional learning (Moren & Balkenius 2000) on the same frozen features", changes=_earlier("bel")
    ),
    "random-emotion": Computed(
        about="the method around an emotional encoder of random weights, without any pre-training",
        changes=_random_emotion,
    ),
    "other-task": Computed(
        about="the method with an encoder pre-trained on the same pictures and labels that are no affect",
        changes=_other_task,
    ),
}
"""Name -> condition."""
