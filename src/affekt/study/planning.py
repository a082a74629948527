"""Planning: from a recipe, and perhaps a folder that was begun, to what a study is going to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from affekt.errors import RecipeError, UsageError, unknown
from affekt.recipe import Recipe, load_recipe
from affekt.study.comparing import declared_chain, declared_comparisons, usual_chain
from affekt.study.conditions import ENSEMBLES, apply_condition, list_conditions
from affekt.study.costs import Cost, cost_of, state_names
from affekt.study.facts import Facts, read_facts
from affekt.study.folder import RunFolder
from affekt.study.frame import Frame, seeds_in
from affekt.study.records import provenance
from affekt.study.scores import PERMUTED
from affekt.study.statistics import PRETRAINED_CHAIN
from affekt.study.study_plan import ALL, StudyPlan

MAIN = (
    "baseline",
    "baseline-pretrained",
    "wide-total",
    "ensemble-2",
    "mixture",
    "scalar-gate",
    "random-emotion",
    "untrained-emotion",
    "shuffled-emotion",
    "permuted-affect",
    "learn-e-reg",
)
"""What a study runs unless its recipe says otherwise: the attribution's chain, and the strongest controls beside it."""

TESTED = ("name", "root", "test", "split_by", "split_seed", "folds", "fold", "options")
"""Keys of ``[target]`` that decide which pictures are tested."""


def plan(
    recipe: Recipe,
    *,
    seeds: int | None = None,
    declared: int | None = None,
    data_root: Path | None = None,
    facts: Facts | None = None,
) -> StudyPlan:
    """Resolve the conditions of a study, and say which do not apply, before anything is trained.

    Args:
        seeds: how many; None: as the recipe declares.
        declared: how many were declared before the first run; None: those of the recipe.
        facts: of the data; None: these are opened.

    Raises:
        RecipeError: an unknown condition, a comparison or chain of conditions that are not run, or nothing to run.
        DataError, UsageError: as the readers of the data.
    """
    if recipe.of_clips:
        from affekt.study.clips.planning import plan_clips

        return plan_clips(recipe, seeds=seeds, declared=declared, data_root=data_root)
    settings = recipe.study
    _check_rates(settings.learning_rates)
    chosen = _chosen(recipe)
    facts = facts or read_facts(recipe, data_root=data_root)
    if facts.test_varies:
        # One test set for all seeds: a draw of test items holds for every seed, or there is no interval over both.
        recipe = replace(recipe, target=replace(recipe.target, split_seed=recipe.seed))
    conditions, costs, inapplicable = _resolved(recipe, chosen, facts)
    if settings.method not in conditions:
        reason = inapplicable.get(settings.method, "it is not among [study] conditions")
        raise RecipeError(f"[study] method = {settings.method!r}: {reason}")
    chain = tuple(name for name, _ in usual_chain(PRETRAINED_CHAIN, settings.method))
    if not settings.chain and "random-emotion" in chain and {*chain} <= conditions.keys():
        # Ordinary pre-training has a link of its own where the encoder brings some.
        recipe = replace(recipe, study=replace(settings, chain=chain))
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


def _resolved(
    recipe: Recipe, chosen: Sequence[str], facts: Facts
) -> tuple[dict[str, Recipe], dict[str, Cost], dict[str, str]]:
    """Recipes and costs of the conditions that apply, and why the others do not."""
    conditions: dict[str, Recipe] = {}
    costs: dict[str, Cost] = {}
    inapplicable: dict[str, str] = {}
    for name in chosen:
        try:
            resolved = apply_condition(recipe, name, facts=facts)
            _check_tested(recipe, name, resolved, facts)
            costs[name] = _times(cost_of(resolved, facts), ENSEMBLES.get(name, 1))
            conditions[name] = resolved
        except RecipeError:
            raise
        except UsageError as error:
            inapplicable[name] = str(error)
    return conditions, costs, inapplicable


def _check_tested(recipe: Recipe, name: str, resolved: Recipe, facts: Facts) -> None:
    """A difference of two conditions is one on the same test pictures."""
    # Where the test pictures are cut by seed, the share cut for validation moves them.
    keys = TESTED if facts.test_fixed else (*TESTED, "validation")
    other = [key for key in keys if getattr(resolved.target, key) != getattr(recipe.target, key)]
    if other:
        raise RecipeError(
            f"[conditions.{name}] target.{other[0]}: other test pictures than the study's; all of its conditions are "
            "tested on the same"
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


def _check_rates(rates: Sequence[float]) -> None:
    for rate in rates:
        if not 0 < rate < math.inf:
            raise RecipeError(f"[study] learning_rates: {rate:g}: a number above 0")
    if len(set(rates)) < len(rates):
        raise RecipeError(f"[study] learning_rates = {list(rates)}: one stands in it twice")


def _times(cost: Cost, members: int) -> Cost:
    return replace(
        cost,
        trainable=members * cost.trainable,
        total=members * cost.total,
        step=members * cost.step,
        training=members * cost.training,
    )


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


def frame_of(planned: StudyPlan) -> Frame:
    """What a comparison must know of a plan."""
    if planned.recipe.of_clips:
        from affekt.study.clips.planning import frame_of_clips

        return frame_of_clips(planned)
    entries = [e for recipe in planned.conditions.values() for e in provenance(recipe, "train")]
    names = state_names(planned.conditions[planned.recipe.study.method], planned.facts)
    return planned.frame(provenance=entries, classes=planned.facts.classes, state_names=names)
