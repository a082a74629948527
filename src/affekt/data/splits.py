"""Splitting: train, validation and test - the set's own, or cut by group and by seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from affekt.data.split_record import Splits, apply_split, read_split, split_hash
from affekt.data.stimuli import SPLITS, Ints, Stimuli, Strings
from affekt.data.stratifying import assign, deal, draw_stratified, strata
from affekt.errors import DataError, UsageError, first, unknown
from affekt.recipe import DataSettings

__all__ = ["Splits", "apply_split", "cut_off", "make_splits", "read_split", "split_hash", "without_groups"]


def make_splits(stimuli: Stimuli, settings: DataSettings, seed: int = 0) -> Splits[Stimuli]:
    """Train, validation and test: the set's own splits where it fixes them, else cut by seed, stratified, groups whole.

    ``settings.validation`` and ``settings.test`` are shares of the pictures that are free to be cut: the whole set, or
    its train split where it fixes one; with folds, ``settings.validation`` is a share of what the fold leaves.
    Membership is a function of (seed, ids, groups, labels), not of the order of rows; so is ``train_limit``.

    Args:
        seed: unless ``settings.split_seed`` says another.

    Raises:
        UsageError: a fold that does not exist, shares that leave nothing to train on.
        DataError: a group that stands in two splits, a split without pictures, a class without a training picture.
    """
    seed = seed if settings.split_seed is None else settings.split_seed
    units = stimuli.ids if settings.split_by == "item" else stimuli.groups
    if settings.folds is None:
        split, notes = _own_or_cut(stimuli, units, settings, seed)
    else:
        split, notes = _by_folds(stimuli, units, settings, seed)
    notes += _leaks(stimuli, split, settings)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS if (split == name).any()}
    if "train" not in rows:
        raise DataError(f"{stimuli.name}: no picture is left for train")
    rows["train"], limit_notes = _limited(stimuli, rows["train"], settings, seed)
    parts = {name: replace(stimuli.take(chosen), split=None) for name, chosen in rows.items()}
    notes += limit_notes + _check_classes(stimuli, parts["train"])
    return Splits(parts=parts, notes=(*stimuli.notes, *notes), missing=stimuli.missing)


def cut_off(stimuli: Stimuli, share: float, *, seed: int, purpose: str = "held-out") -> tuple[Stimuli, Stimuli]:
    """``(rest, slice)``: a stratified slice of whole groups, e.g. for a regulator that learns on held-out pictures.

    Raises:
        DataError: too few groups to cut.
    """
    ratio = np.array([1 - share, share])
    part = assign(stimuli.ids, stimuli.groups, strata(stimuli.labels, len(stimuli)), ratio, purpose, seed)
    if len(np.unique(part)) < 2:
        raise DataError(
            f"{stimuli.name}: {len(np.unique(stimuli.groups))} group(s); nothing to cut a {purpose} slice from"
        )
    return stimuli.take(np.flatnonzero(part == 0)), stimuli.take(np.flatnonzero(part == 1))


def without_groups(stimuli: Stimuli, groups: Strings) -> Stimuli:
    """The stimuli whose group is none of ``groups``, e.g. affective pictures that a target tests on.

    Raises:
        DataError: nothing is left.
    """
    return stimuli.take(np.flatnonzero(~np.isin(stimuli.groups, groups)))


def _cut(stimuli: Stimuli, units: Strings, rows: Ints, shares: Mapping[str, float], *purpose: object) -> Strings:
    """``(len(rows),)`` names of the parts that the rows go to; ``shares`` are of those rows, train gets the rest."""
    classes = strata(stimuli.labels, len(stimuli))[rows]
    return deal(
        stimuli.name, stimuli.ids[rows], units[rows], classes, shares, *purpose, noun=stimuli.noun, unit="group"
    )


def _own_or_cut(stimuli: Stimuli, units: Strings, settings: DataSettings, seed: int) -> tuple[Strings, tuple[str, ...]]:
    """The set's own split, with the parts it does not fix cut from its train and free pictures."""
    split = np.full(len(stimuli), "", dtype="<U10") if stimuli.split is None else stimuli.split.astype("<U10")
    for found in np.unique(split):
        if found not in ("", *SPLITS):
            raise DataError(unknown(f"{stimuli.name}: split", str(found), SPLITS))
    split = _follow(split, units)
    asked = {"validation": settings.validation, "test": settings.test}
    shares = {name: share for name, share in asked.items() if share > 0 and not (split == name).any()}
    pool = np.flatnonzero((split == "train") | (split == ""))
    fixed = [name for name in SPLITS if (split == name).any()]
    notes = (f"{stimuli.name}: {', '.join(fixed)} as the set fixes them",) if fixed else ()
    if not shares:
        split[split == ""] = "train"
        return split, notes
    split[pool] = _cut(stimuli, units, pool, shares, "split", seed)
    counts = {name: int((split[pool] == name).sum()) for name in ("train", *shares)}
    how = f"by seed {seed}, stratified, {len(np.unique(units[pool]))} {_unit(settings)}s whole"
    done = ", ".join(f"{n} {name}" for name, n in counts.items())
    source = "from its train pictures" if fixed else "from all pictures"
    return split, (*notes, f"{stimuli.name}: {done} cut {source} {how}")


def _unit(settings: DataSettings) -> str:
    return "item" if settings.split_by == "item" else "group"


def _follow(split: Strings, units: Strings) -> Strings:
    """Free items whose group stands in a fixed split go where it is."""
    free = split == ""
    if free.all() or not free.any():
        return split
    place = dict(zip(units[~free].tolist(), split[~free].tolist(), strict=True))
    split[free] = [place.get(unit, "") for unit in units[free].tolist()]
    return split


def _by_folds(stimuli: Stimuli, units: Strings, settings: DataSettings, seed: int) -> tuple[Strings, tuple[str, ...]]:
    """k-fold: fold ``settings.fold`` is the test split, validation is cut from the others."""
    folds = settings.folds or 1
    if settings.fold >= folds:
        raise UsageError(f"{stimuli.name}: fold = {settings.fold}, but folds = {folds}; write 0 to {folds - 1}")
    found = len(np.unique(units))
    if found < folds:
        raise DataError(f"{stimuli.name}: {found} {_unit(settings)}(s) cannot be cut into {folds} folds")
    classes = strata(stimuli.labels, len(stimuli))
    fold = assign(stimuli.ids, units, classes, np.full(folds, 1 / folds), "folds", seed, folds)
    split = np.where(fold == settings.fold, "test", "train").astype("<U10")
    rest = np.flatnonzero(split == "train")
    if settings.validation > 0:
        shares = {"validation": settings.validation}
        split[rest] = _cut(stimuli, units, rest, shares, "fold", seed, folds, settings.fold)
    counts = ", ".join(f"{int((split == name).sum())} {name}" for name in SPLITS)
    own = "" if stimuli.split is None else "; the set's own splits are not used"
    about = f"fold {settings.fold} of {folds} by seed {seed}, stratified, {found} {_unit(settings)}s whole"
    return split, (f"{stimuli.name}: {about}: {counts}{own}",)


def _leaks(stimuli: Stimuli, split: Strings, settings: DataSettings) -> tuple[str, ...]:
    """Groups that stand in more than one split: refused, unless items were asked for; then a note.

    Raises:
        DataError: how many groups, and the first of them.
    """
    pairs = np.unique(np.stack([stimuli.groups.astype(np.str_), split.astype(np.str_)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    shared = names[counts > 1]
    if settings.split_by == "item":
        return (f"{stimuli.name}: split_by = item LEAKS: {len(shared)} of {len(names)} groups stand in two splits",)
    if len(shared):
        raise DataError(
            f"{stimuli.name}: {len(shared)} group(s) stand in more than one split: {first(shared.tolist())}; cut "
            "it anew (folds), or write split_by = item to go on with the leak stated"
        )
    return ()


def _limited(stimuli: Stimuli, rows: Ints, settings: DataSettings, seed: int) -> tuple[Ints, tuple[str, ...]]:
    limit = settings.train_limit
    if limit is None:
        return rows, ()
    if limit >= len(rows):
        return rows, (f"{stimuli.name}: train_limit = {limit}, all {len(rows)} training pictures are used",)
    classes = strata(stimuli.labels, len(stimuli))[rows]
    kept = rows[draw_stratified(stimuli.ids[rows], classes, limit, "train_limit", seed)]
    return kept, (f"{stimuli.name}: {limit} of {len(rows)} training pictures, drawn stratified by seed {seed}",)


def _check_classes(stimuli: Stimuli, train: Stimuli) -> tuple[str, ...]:
    """Every class needs a training picture; one that is only the majority of votes may have none in the whole set.

    Raises:
        DataError: the classes without.
    """
    labels = train.labels
    if labels.category is None or stimuli.labels.category is None:
        return ()
    k = len(labels.categories)
    trained = np.bincount(labels.category[labels.category >= 0], minlength=k)
    anywhere = np.bincount(stimuli.labels.category[stimuli.labels.category >= 0], minlength=k)
    without = [name for name, n in zip(labels.categories, trained, strict=False) if n == 0]
    if labels.votes is not None and not any(anywhere[labels.categories.index(name)] for name in without):
        return (f"{stimuli.name}: no picture is mostly {first(without)}",) if without else ()
    if without:
        raise DataError(f"{stimuli.name}: {len(without)} class(es) without a training picture: {first(without)}")
    return ()
