"""Planning: what a study of clips is going to do - its conditions resolved, its seeds, what may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from affekt.data.audiovisual.splits import LEAKY
from affekt.errors import DataError, RecipeError, unknown
from affekt.recipe import Recipe
from affekt.study.clips.cautions import one_class, over_folds, undeclared
from affekt.study.clips.costs import costs_of
from affekt.study.clips.folds import cross_validated, cut, fold_numbers
from affekt.study.clips.given import given_at_test
from affekt.study.clips.opening import features_of, learned_tasks, listed
from affekt.study.clips.records import provenance
from affekt.study.conditions import apply_condition
from affekt.study.declaring import read_comparisons
from affekt.study.facts import Facts
from affekt.study.frame import Frame
from affekt.study.study_plan import ALL, StudyPlan
from affekt.weighting import check_weighting


def plan_clips(recipe: Recipe, *, seeds: int | None, declared: int | None, data_root: Path | None) -> StudyPlan:
    """Resolve the conditions of a study of clips; see :func:`affekt.study.planning.plan`.

    Raises:
        RecipeError: an unknown condition, comparisons that mean nothing, keys that such a study does not have.
        DataError, UsageError: as the reader of the set.
    """
    _check_keys(recipe)
    # Runs of one split are tested on the same clips; over folds each clip is tested whatever the seed.
    if not cross_validated(recipe.clips) and recipe.clips.split_seed is None:
        recipe = replace(recipe, clips=replace(recipe.clips, split_seed=recipe.seed))
    conditions = {name: apply_condition(recipe, name) for name in _chosen(recipe)}
    for name, resolved in conditions.items():
        _check_condition(name, resolved)
        _check_same(name, resolved, recipe)
    pairs = declared_for_tasks(recipe, conditions)
    first, count = recipe.seed, recipe.study.seeds if seeds is None else seeds
    all_seeds = range(first, first + max(count, declared or 0))
    found = {name: _cut(name, resolved, all_seeds, data_root) for name, resolved in conditions.items()}
    tested = {name: of.tested for name, of in found.items()}
    usual = next(iter(tested))
    for name, ids in tested.items():
        if ids != tested[usual]:
            raise RecipeError(
                f"[conditions.{name}]: tests other clips than {usual}; all must be tested on the same. Over folds "
                "each clip is tested, however they are cut: write folds, or leave_one_out = true, without fold"
            )
    return StudyPlan(
        recipe=recipe,
        conditions=conditions,
        costs=costs_of(conditions, {name: of.trained for name, of in found.items()}, data_root=data_root),
        inapplicable={},
        seeds=tuple(all_seeds),
        declared=tuple(range(first, first + (declared or count))),
        cautions=tuple(_cautions({name: of.cautions for name, of in found.items()}, pairs, conditions)),
        facts=Facts(
            classes=(),
            train=0,
            test_varies=False,
            test_fixed=True,
            composed=listed(conditions[usual], data_root=data_root).composed,
        ),
    )


def _check_keys(recipe: Recipe) -> None:
    for key in ("learning_rates", "chain"):
        if getattr(recipe.study, key):
            raise RecipeError(f"[study] {key}: is for studies of pictures; leave it out")


def _check_condition(name: str, resolved: Recipe) -> None:
    """
    Raises:
        RecipeError, UsageError: what this condition cannot have, with its name; before anything is trained.
    """
    try:
        learned_tasks(resolved)
        features_of(resolved)
        given_at_test(resolved)
        check_weighting(resolved.weighting.name, resolved.weighting.rule_options)
    except RecipeError as error:
        raise RecipeError(f"[conditions.{name}]: {error}") from None


SAME = ("name", "root", "tasks", "emotions", "options", "longer", "hop", "allow_missing")
"""Keys of ``[clips]`` that decide which clips there are, and what is known of them."""


def _check_same(name: str, resolved: Recipe, recipe: Recipe) -> None:
    other = [key for key in SAME if getattr(resolved.clips, key) != getattr(recipe.clips, key)]
    if other:
        raise RecipeError(
            f"[conditions.{name}] clips.{other[0]}: other clips or labels than the study's; all of its conditions "
            "are tested on the same. What is learned is network.tasks"
        )


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """How a condition cuts the clips.

    Attributes:
        tested: the clips that each seed tests.
        trained: number of training clips of each fold of the first seed.
        cautions: of the first seed's splits.
    """

    tested: set[frozenset[str]]
    trained: tuple[int, ...]
    cautions: tuple[str, ...]


def _cut(name: str, resolved: Recipe, seeds: Sequence[int], data_root: Path | None) -> _Cut:
    """Every split of a condition is cut, on labels alone: what cannot be cut is said before anything is trained.

    Raises:
        DataError: a split or a class without a clip; with the condition and the seed.
    """
    clips = listed(resolved, data_root=data_root)
    tested: set[frozenset[str]] = set()
    trained: list[int] = []
    cautions: list[list[str]] = []
    for seed in seeds:
        ids: list[str] = []
        for fold in fold_numbers(clips, resolved.clips):
            try:
                parts = cut(clips, resolved.clips, fold, seed).parts
            except DataError as error:
                raise DataError(f"{name}, seed {seed}{'' if fold is None else f', fold {fold}'}: {error}") from None
            if "test" not in parts:
                raise DataError(f"{name}: no test split; a study needs one, e.g. [clips] test = 0.2")
            ids += parts["test"].ids.tolist()
            if seed == seeds[0]:
                trained.append(len(parts["train"]))
                cautions.append(one_class(resolved, parts))
        tested.add(frozenset(ids))
    return _Cut(tested=tested, trained=tuple(trained), cautions=tuple(over_folds(cautions)))


def _cautions(
    splits: Mapping[str, Sequence[str]], pairs: Sequence[object], conditions: Mapping[str, Recipe]
) -> Iterator[str]:
    """What to know before the first run: that nothing is declared, and of which conditions validation says little."""
    if not pairs:
        yield undeclared([name for name, resolved in conditions.items() if not is_leaky(resolved)])
    for line in dict.fromkeys(line for lines in splits.values() for line in lines):
        yield f"{', '.join(name for name, lines in splits.items() if line in lines)}: {line}"


def _chosen(recipe: Recipe) -> list[str]:
    """Names of the study's conditions, in the recipe's order."""
    known = list(recipe.conditions)
    if not known:
        raise RecipeError("a study of clips runs the recipe's own conditions; declare some: [conditions.uniform] ...")
    names = list(recipe.study.conditions) or known
    for name in names:
        if name not in (*known, ALL):
            raise RecipeError(f"[study] conditions: {unknown('condition', name, [*known, ALL])}")
    return known if ALL in names else [name for name in known if name in names]


def is_leaky(resolved: Recipe) -> bool:
    """Whether a condition tests on speakers that it learned from."""
    return resolved.clips.split_by in LEAKY


def declared_for_tasks(recipe: Recipe, conditions: Mapping[str, Recipe]) -> list[tuple[str, str, str]]:
    """``(first, second, task)`` of each declared comparison and each task that both sides learn.

    Without ``[study] comparisons``: every condition minus ``[study] reference``, where the study runs that.

    Raises:
        RecipeError: a comparison that is badly written, of a leaky condition, or of two that share no task.
    """
    found = []
    for first, second in _pairs(recipe, conditions):
        tasks = [task for task in learned_tasks(conditions[first]) if task in learned_tasks(conditions[second])]
        if not tasks:
            raise RecipeError(f'[study] comparisons: "{first} - {second}": they learn no task in common')
        found += [(first, second, task) for task in tasks]
    return found


def _pairs(recipe: Recipe, conditions: Mapping[str, Recipe]) -> list[tuple[str, str]]:
    settings = recipe.study
    sound = [name for name, resolved in conditions.items() if not is_leaky(resolved)]
    if not settings.comparisons:
        reference = settings.reference
        learned = set(learned_tasks(conditions[reference])) if reference in sound else set()
        return [
            (name, reference) for name in sound if name != reference and learned & set(learned_tasks(conditions[name]))
        ]
    pairs = read_comparisons(settings.comparisons, list(conditions))
    for pair in pairs:
        for name in pair:
            if name not in sound:
                raise RecipeError(
                    f'[study] comparisons: "{pair[0]} - {pair[1]}": {name} learns from the speakers that it is tested '
                    "on; it is shown beside its counterpart, never as evidence; leave it out"
                )
    return pairs


def counterpart(name: str, conditions: Mapping[str, Recipe]) -> str | None:
    """The condition that differs from a leaky one by its split alone; None where there is none."""
    own = _unsplit(conditions[name])
    others: Sequence[str] = [other for other, resolved in conditions.items() if not is_leaky(resolved)]
    return next((other for other in others if _unsplit(conditions[other]) == own), None)


def _unsplit(resolved: Recipe) -> Recipe:
    whole = replace(resolved.clips, split_by="speaker", folds=None, fold=None, leave_one_out=False, validation=0.0)
    return replace(resolved, clips=replace(whole, split_seed=None, test=0.0))


def frame_of_clips(planned: StudyPlan) -> Frame:
    """What a comparison must know of a plan."""
    composed = planned.facts.composed
    entries = [entry for resolved in planned.conditions.values() for entry in provenance(resolved, composed)]
    return planned.frame(provenance=entries)
