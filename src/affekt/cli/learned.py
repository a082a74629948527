"""What a saved model learned from: the splits of its run, as the run cut them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from affekt.errors import AffektError

if TYPE_CHECKING:
    from affekt.cli.models import Found

LEARNED = ("train", "validation", "held-out")
"""Splits that a run fits its weights on, or selects them by."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A run's pictures.

    Attributes:
        name: of the model.
        set: the data set.
        root: its folder.
        parts: split -> ids; empty where the data are not on this machine.
        ids, groups: of the pictures that it learned from, or was selected by.
    """

    name: str
    set: str
    root: Path
    parts: Mapping[str, frozenset[str]]
    ids: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def learned_from(name: str, found: Found, *, root: Path | None) -> Learned | None:
    """What the run around a model learned from; None for a model that stands in no run's folder."""
    settings, recipe = found.settings, found.recipe
    if settings is None or recipe is None or not settings.name:
        return None
    from affekt.data import behind, dataset_folder
    from affekt.study.building import affective_data, target_data

    known, folder = behind(settings, root).name, dataset_folder(settings, root)
    try:
        splits = (affective_data if found.affective else target_data)(recipe, seed=recipe.seed, data_root=root).splits
    except AffektError:
        return Learned(name=name, set=known, root=folder, parts={})
    learned = [part for split, part in splits.items() if split in LEARNED]
    return Learned(
        name=name,
        set=known,
        root=folder,
        parts={split: frozenset(part.ids.tolist()) for split, part in splits.items()},
        ids=frozenset(i for part in learned for i in part.ids.tolist()),
        groups=frozenset(g for part in learned for g in part.groups.tolist()),
    )
