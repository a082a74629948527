"""Conditions: named variations of a recipe; a recipe's own, the presets of regulation, and those that are computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from affekt.errors import RecipeError, UsageError, unknown
from affekt.recipe import Recipe, StudySettings, change
from affekt.regulation.presets import PRESETS, READINGS
from affekt.study.clips.absent import unmeant
from affekt.study.matching import DoesNotApply

ENSEMBLES = {"ensemble-2": 2, "ensemble-3": 3}
"""Name -> number of independently trained baselines whose probabilities are averaged."""

ORDER = (
    "baseline",
    "baseline-pretrained",
    "longer",
    "wide-trainable",
    "wide-total",
    "ensemble-2",
    "ensemble-3",
    "transfer",
    "linear-probe",
    "back-propagation",
    "emnn",
    "bel",
    "mixture",
    "scalar-gate",
    "feature-gate",
    "random-emotion",
    "untrained-emotion",
    "shuffled-emotion",
    "other-task",
    "permuted-affect",
    "influenced-only",
    "held-out-regulator",
    "rand-e-reg",
    "e-reg",
    "rand-learn-e-reg",
    "learn-e-reg",
)
"""The order in which conditions are run and shown: the plain ones, then from none to all of the emotion."""

METHODS = ("held-out-regulator", "e-reg", "rand-learn-e-reg", "learn-e-reg")
"""Conditions with affect in them."""

CONTROLS = tuple(name for name in ORDER if name not in ("baseline", *METHODS))
"""Conditions that the method is held against, beside the reference, unless the recipe declares its own comparisons."""

FOLLOWING = (
    "permuted-affect",
    "shuffled-emotion",
    "untrained-emotion",
    "random-emotion",
    "other-task",
    "influenced-only",
    "feature-gate",
    "scalar-gate",
    "mixture",
)
"""Controls that are the method with something taken away: what the recipe changes of the method holds for them too."""

METHOD = "learn-e-reg"

NEEDS_PRETRAINING = ("shuffled-emotion", "untrained-emotion")


def list_conditions(recipe: Recipe) -> list[str]:
    """The names that ``--condition`` takes for this recipe, in the order in which a study shows them.

    One about clips has those that it declares.
    """
    if recipe.of_clips:
        return [*recipe.conditions]
    return [*ORDER, *(name for name in recipe.conditions if name not in ORDER)]


def about(recipe: Recipe, name: str) -> str:
    """What a condition is, in one line."""
    from affekt.study.computed import COMPUTED

    if not recipe.of_clips:
        if name in READINGS:
            return READINGS[name]
        if name in COMPUTED:
            return COMPUTED[name].about
        if name in ENSEMBLES:
            return f"{ENSEMBLES[name]} baselines trained independently, probabilities averaged"
    changed = ", ".join(f"{key} = {value}" for key, value in recipe.conditions.get(name, {}).items())
    return f"the recipe with {changed}" if changed else "the recipe as it stands"


def apply_condition(
    recipe: Recipe, name: str | None, *, data_root: Path | None = None, facts: object | None = None
) -> Recipe:
    """The recipe of one condition, without conditions and study: what a run's folder states.

    A ``[conditions.NAME]`` of the recipe changes keys on top of what that name means already, so that a control can
    have a learning rate of its own. An ensemble's recipe is that of its members, baselines with what the recipe changes
    of these.

    Args:
        name: of the condition; None: the recipe as it stands.
        facts: what is known of the data (:class:`~affekt.study.facts.Facts`); None: looked up where it is needed.

    Raises:
        RecipeError: no such condition; the nearest are named.
        DoesNotApply: one that this recipe cannot have, with the reason.
    """
    try:
        return _applied(recipe, name, data_root, facts)
    except RecipeError as error:
        # The place that it names is one of the changed recipe.
        raise RecipeError(f"[conditions.{name}] {error}" if name in recipe.conditions else str(error)) from None


def _applied(recipe: Recipe, name: str | None, data_root: Path | None, facts: object | None) -> Recipe:
    bare = replace(recipe, conditions={}, study=StudySettings())
    if name is None:
        return bare
    own = recipe.conditions.get(name, {})
    if recipe.of_clips:
        if name not in recipe.conditions:
            declared = "; declare it in [conditions.NAME]" if recipe.conditions else "; the recipe declares none"
            raise RecipeError(unknown("condition", name, recipe.conditions) + declared)
        return change(bare, {**unmeant(own), **own})
    if name != recipe.study.method and name in FOLLOWING:
        _check_pretraining(recipe, name)
        return change(
            bare, {**_of(recipe, recipe.study.method), **_distinguishing(recipe, name, data_root, facts), **own}
        )
    if name in ENSEMBLES:
        return change(bare, {**PRESETS["baseline"], **recipe.conditions.get("baseline", {}), **own})
    if name in PRESETS:
        _check_pretraining(recipe, name)
        return change(bare, {**PRESETS[name], **own})
    return change(bare, {**_computed(recipe, name, data_root, facts), **own})


def _computed(recipe: Recipe, name: str, data_root: Path | None, facts: object | None) -> dict[str, object]:
    from affekt.study.computed import COMPUTED
    from affekt.study.facts import Facts, read_facts

    if name not in COMPUTED:
        if name in recipe.conditions:
            return {}
        raise RecipeError(unknown("condition", name, list_conditions(recipe)))
    known = facts if isinstance(facts, Facts) else read_facts(recipe, data_root=data_root)
    chosen = recipe.study.method
    bare = replace(recipe, conditions={}, study=StudySettings())
    if not COMPUTED[name].matched:
        return dict(COMPUTED[name].changes(bare, bare, known))
    if chosen in COMPUTED or chosen in ENSEMBLES:
        raise UsageError(f'[study] method = "{chosen}": is a control; {name} is matched to a method')
    return dict(COMPUTED[name].changes(bare, apply_condition(recipe, chosen), known))


def _of(recipe: Recipe, name: str) -> dict[str, object]:
    """What a condition that is not computed changes."""
    return {**PRESETS.get(name, {}), **recipe.conditions.get(name, {})}


def _distinguishing(recipe: Recipe, name: str, data_root: Path | None, facts: object | None) -> dict[str, object]:
    """What a following control changes of the method."""
    if name not in PRESETS:
        return _computed(recipe, name, data_root, facts)
    usual = PRESETS[METHOD]
    return {key: value for key, value in PRESETS[name].items() if key not in usual or usual[key] != value}


def _check_pretraining(recipe: Recipe, name: str) -> None:
    if recipe.emotional.model and name in NEEDS_PRETRAINING:
        raise DoesNotApply("the emotional encoder is given ([emotional] model); this control needs its pre-training")
