"""Conditions: named variations of a recipe; the recipe's own come first, then the attested presets."""

from __future__ import annotations

from dataclasses import replace

from affekt.errors import RecipeError, unknown
from affekt.recipe import Recipe, change


def list_conditions(recipe: Recipe) -> list[str]:
    """The names that ``--condition`` takes for this recipe."""
    from affekt.regulation.presets import PRESETS

    return sorted({*recipe.conditions, *PRESETS})


def apply_condition(recipe: Recipe, name: str | None) -> Recipe:
    """The recipe of one condition, without the table of conditions: what a run's folder states.

    Args:
        name: of the condition; None: the recipe as it stands.

    Raises:
        RecipeError: no such condition; the nearest are named.
    """
    from affekt.regulation.presets import PRESETS

    bare = replace(recipe, conditions={})
    if name is None:
        return bare
    if name in recipe.conditions:
        return change(bare, recipe.conditions[name])
    if name not in PRESETS:
        raise RecipeError(unknown("condition", name, list_conditions(recipe)))
    return change(bare, PRESETS[name])
