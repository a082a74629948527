"""On paper: what a recipe's data sets have by what was published of them, for a plan without a single picture."""

from __future__ import annotations

import numpy as np

from affekt.affect import DIMENSIONS, parse_scale
from affekt.data import describe
from affekt.data.dataset import Description
from affekt.data.stimuli import Labels
from affekt.errors import DataError
from affekt.recipe import DataSettings, Recipe
from affekt.study.building import named
from affekt.study.facts import Facts, SourceFacts, sources_of

DERIVED = "derived"
"""A set re-made from another, picture by picture."""


def facts_on_paper(recipe: Recipe) -> Facts:
    """What is known of a recipe's data without opening them.

    Raises:
        DataError: a set of which neither size nor classes are published.
        RecipeError, UsageError: no data set, or an unknown one.
    """
    target = named(recipe.target, "target")
    described = _described(target)
    if not described.categories:
        raise _unpublished(described, "classes")
    labels = None
    if recipe.affective.name and not recipe.emotional.model:
        labels = labels_on_paper(recipe.affective)
    fixed = "test" in described.splits and target.folds is None
    return Facts(
        classes=described.categories,
        train=sizes_on_paper(recipe, "target")["train"],
        test_varies=target.split_seed is None and not fixed,
        test_fixed=fixed,
        affective=labels,
        sources=sources_of(recipe, _source),
    )


def sizes_on_paper(recipe: Recipe, section: str) -> dict[str, int]:
    """Pictures of each split of ``[target]``, ``[affective]`` or ``[source]``, up to the rounding of a stratified cut.

    Raises:
        DataError: a set whose size is not published.
    """
    settings: DataSettings = named(getattr(recipe, section), section)
    sizes = _cut(settings, _described(settings))
    held = recipe.regulation
    if section == "target" and recipe.model.kind == "regulated" and held.regulator_data == "held-out":
        sizes["held-out"] = round(held.held_out * sizes["train"])
        sizes["train"] -= sizes["held-out"]
    return sizes


def labels_on_paper(settings: DataSettings) -> Labels:
    """Labels of the kinds that an affective set is published with, one entry a training picture; made up."""
    described = _described(settings)
    n = _cut(settings, described)["train"]
    categories = described.categories
    ratings = [name for name in DIMENSIONS if name in described.labels]
    # Never all the same: a network standardises by them.
    spread = np.linspace(1, 9, n).astype(np.float32)
    return Labels(
        categories=categories,
        category=np.arange(n, dtype=np.int64) % len(categories) if categories else None,
        votes=np.ones((n, len(categories)), dtype=np.float32) if "votes" in described.labels and categories else None,
        ratings=dict.fromkeys(ratings, spread),
        scale=parse_scale("1-9") if ratings else None,
    )


def _source(recipe: Recipe) -> SourceFacts:
    described = _described(recipe.source)
    if not described.categories:
        raise _unpublished(described, "classes")
    return SourceFacts(classes=described.categories, train=sizes_on_paper(recipe, "source")["train"])


def _described(settings: DataSettings) -> Description:
    """Of the set, or of the one that it was re-made from: it has its pictures and labels."""
    described = describe(settings.name)
    if described.name != DERIVED:
        return described
    return describe(str(settings.options.get("source") or "emod"))


def _cut(settings: DataSettings, described: Description) -> dict[str, int]:
    if described.expected is None:
        raise _unpublished(described, "size")
    sizes = {name: round(share * described.expected) for name, share in described.splits.items()}
    if settings.folds is not None:
        sizes = {"test": described.expected // settings.folds}
        sizes["train"] = described.expected - sizes["test"]
    elif not sizes:
        sizes = {"test": round(settings.test * described.expected)}
        sizes["train"] = described.expected - sizes["test"]
    if "validation" not in sizes:
        # A share of what is free to be cut: of the whole set where it fixes no split.
        whole = sizes["train"] if described.splits or settings.folds else described.expected
        sizes["validation"] = round(settings.validation * whole)
        sizes["train"] -= sizes["validation"]
    sizes["train"] = min(sizes["train"], settings.train_limit or sizes["train"])
    return {name: size for name, size in sizes.items() if size}


def _unpublished(described: Description, what: str) -> DataError:
    return DataError(
        f"{described.name}: its {what} cannot be known without the data; leave out --on-paper, or write another set"
    )
