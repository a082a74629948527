"""Facts: what the data sets of a recipe say that conditions depend on - classes, sizes, label columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affekt.data import dataset, dataset_folder
from affekt.data.stimuli import Labels, Stimuli
from affekt.errors import DataError, RecipeError
from affekt.recipe import Recipe, change
from affekt.study.building import affective_data, target_data
from affekt.study.relabelling import label_columns
from affekt.study.source import SOURCE, source_data


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """Of a source: the classes that it teaches, and the number of its training pictures."""

    classes: tuple[str, ...]
    train: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known before anything is trained.

    Attributes:
        classes: of the target.
        train: number of the target's training pictures.
        test_varies: whether each seed cuts a test set of its own.
        test_fixed: whether the set fixes its test split, and no folds are cut.
        affective: training labels of the affective set; None where the recipe names none.
        columns: label columns that are no affect.
        composed: of clips that are composed, the sets that sound and faces are of; ``""``: they are recordings.
        sources: of each ``[source]`` that the recipe or a condition of it starts from, by :func:`source_key`.
    """

    classes: tuple[str, ...]
    train: int
    test_varies: bool
    test_fixed: bool
    affective: Labels | None = None
    columns: tuple[str, ...] = ()
    composed: str = ""
    sources: Mapping[str, SourceFacts] = field(default_factory=dict)

    @property
    def affective_train(self) -> int:
        """Number of affective training pictures."""
        if self.affective is None:
            return 0
        return max((len(values) for values in self.affective.columns().values()), default=0)


def read_facts(recipe: Recipe, *, data_root: Path | None) -> Facts:
    """Open the recipe's data sets and look.

    Raises:
        DataError, UsageError: as their readers.
    """
    splits = target_data(recipe, seed=recipe.seed, data_root=data_root).splits
    target = splits["train"]
    labels = None
    if recipe.affective.name and not recipe.emotional.model:
        true = replace(recipe, affective=replace(recipe.affective, labels="affect"))
        labels = affective_data(true, seed=recipe.seed, data_root=data_root).splits["train"].labels
    fixed = _test_fixed(recipe, splits, data_root)
    return Facts(
        classes=target.labels.categories,
        train=len(target),
        test_varies=recipe.target.split_seed is None and not fixed,
        test_fixed=fixed,
        affective=labels,
        columns=() if labels is None else tuple(label_columns(labels)),
        sources=sources_of(recipe, lambda one: _read_source(one, data_root)),
    )


def source_key(recipe: Recipe) -> str:
    """What tells the sources of a recipe's conditions apart: all of the section but the network that came of it."""
    return repr(replace(recipe.source, model=""))


def sources_of(recipe: Recipe, look: Callable[[Recipe], SourceFacts]) -> dict[str, SourceFacts]:
    """What ``look`` finds of every source that the recipe or a condition of it has trained, by :func:`source_key`."""
    bare = replace(recipe, conditions={})
    found: dict[str, SourceFacts] = {}
    for one in (bare, *(_changed(bare, name, keys) for name, keys in recipe.conditions.items())):
        wanted = one.model.initial == SOURCE and one.source.name and not one.source.model
        if wanted and source_key(one) not in found:
            found[source_key(one)] = look(one)
    return found


def _read_source(recipe: Recipe, data_root: Path | None) -> SourceFacts:
    train = source_data(recipe, data_root=data_root).splits["train"]
    return SourceFacts(classes=train.labels.categories, train=len(train))


def _changed(recipe: Recipe, name: str, keys: Mapping[str, Any]) -> Recipe:
    try:
        return change(recipe, keys)
    except RecipeError as error:
        raise RecipeError(f"[conditions.{name}] {error}") from None


def _test_fixed(recipe: Recipe, splits: Mapping[str, Stimuli], data_root: Path | None) -> bool:
    if "test" not in splits:
        name = splits["train"].name
        raise DataError(f"{name}: has no test split, and [target] test = 0 cuts none; a study needs one")
    settings = recipe.target
    if settings.folds is not None:
        return False
    split = dataset(settings.name).stimuli(dataset_folder(settings, data_root), settings).split
    return split is not None and bool((split == "test").any())
