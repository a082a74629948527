"""Splitting clips: no speaker in two splits - cut by seed, in folds, or one speaker or session left out at a time.

A split in which speakers are shared exists under the names ``leaky`` and ``leaky-text`` only, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from affekt.data.audiovisual.clips import Clips
from affekt.data.audiovisual.redrawing import check_classes, first_that, first_whole, has_all
from affekt.data.split_record import Splits
from affekt.data.stimuli import SPLITS, Ints, Strings
from affekt.data.stratifying import assign, deal
from affekt.errors import DataError, UsageError, first, unknown
from affekt.recipe import ClipSettings

ClipSplits = Splits[Clips]

LEAKY = ("leaky", "leaky-text")


def split_clips(clips: Clips, settings: ClipSettings, seed: int = 0) -> ClipSplits:
    """Train, validation and test: the set's own where it fixes them, else cut by seed, stratified, units whole.

    The unit is the speaker, or with ``split_by``: ``"session"``, whose speakers are in no other; ``"text"``, cut in
    both ways, so that test has neither a text nor a speaker of train, and the clips that would mix them are left out
    and counted (shares are of speakers and of texts); ``"leaky"``, the clip; ``"leaky-text"``, the text, whose
    speakers are everywhere. With ``folds``, fold ``fold`` is the test split (by text there are ``folds ** 2`` of them,
    for each fold of speakers each of texts). With ``leave_one_out`` each unit is a fold, in the order of their names.

    Membership is a function of (seed, ids, speakers, labels), not of the order of rows. Classes of the first task are
    balanced; where a draw leaves no training clip of a class of any task, another is made by the same seed, up to
    a hundred times (:mod:`~affekt.data.audiovisual.redrawing`).

    Args:
        seed: unless ``settings.split_seed`` says another.

    Raises:
        UsageError: a fold that does not exist, shares that leave nothing, a column that the set does not have.
        DataError: a speaker in two splits, a split or a class without a clip.
    """
    seed = seed if settings.split_seed is None else settings.split_seed
    if clips.split is not None and settings.folds is None and not settings.leave_one_out:
        split, notes = _own(clips, settings, seed)
    elif settings.split_by == "text":
        split, notes = _crossed(clips, settings, seed)
    else:
        split, notes = _cut(clips, _units(clips, settings.split_by), settings, seed)
    notes += _leaks(clips, split, settings)
    rows = {name: np.flatnonzero(split == name) for name in SPLITS if (split == name).any()}
    if "train" not in rows:
        raise DataError(f"{clips.name}: no clip is left for train")
    parts = {name: replace(clips.take(chosen), split=None) for name, chosen in rows.items()}
    check_classes(clips, parts["train"], settings)
    return ClipSplits(parts=parts, notes=(*clips.notes, *notes), missing=clips.missing)


def fold_in(settings: ClipSettings) -> int:
    """The fold that is held out where one is: the first unless ``fold`` says another."""
    return settings.fold or 0


def count_folds(clips: Clips, settings: ClipSettings) -> int:
    """How many values ``fold`` can have.

    Raises:
        UsageError: neither ``folds`` nor ``leave_one_out`` is set, or a column that the set does not have.
    """
    if settings.leave_one_out:
        if settings.split_by == "text":
            return len(np.unique(clips.groups)) * len(np.unique(_column(clips, "text")))
        return len(np.unique(_units(clips, settings.split_by)))
    if settings.folds is None:
        raise UsageError(f"{clips.name}: one split, no folds; write folds, or leave_one_out = true")
    return settings.folds**2 if settings.split_by == "text" else settings.folds


def _units(clips: Clips, by: str) -> Strings:
    """What stays whole.

    Raises:
        UsageError: the set has no such column.
        DataError: a speaker of two sessions.
    """
    if by == "speaker":
        return clips.groups
    if by == "leaky":
        # Windows of one clip stay together even here: they are one recording.
        return clips.columns["clip"].astype(np.str_) if "clip" in clips.columns else clips.ids
    units = _column(clips, "text" if by == "leaky-text" else by)
    if by == "session":
        pairs = np.unique(np.stack([clips.groups.astype(np.str_), units]), axis=1)
        names, counts = np.unique(pairs[0], return_counts=True)
        if (counts > 1).any():
            raise DataError(
                f"{clips.name}: {first(names[counts > 1].tolist())} in several sessions: a split by session would "
                "share speakers; write split_by = speaker"
            )
    return units


def _column(clips: Clips, name: str) -> Strings:
    if name not in clips.columns:
        raise UsageError(f"{clips.name}: split_by = {name}: the set does not say it; write split_by = speaker")
    return clips.columns[name].astype(np.str_)


def _own(clips: Clips, settings: ClipSettings, seed: int) -> tuple[Strings, tuple[str, ...]]:
    """The set's own split; clips and parts that it leaves free are cut from its train and free clips."""
    assert clips.split is not None
    split = clips.split.astype("<U10")
    for found in np.unique(split).tolist():
        if found not in ("", *SPLITS):
            raise DataError(unknown(f"{clips.name}: split", found, SPLITS))
    fixed = [name for name in SPLITS if (split == name).any()]
    units = clips.groups if settings.split_by == "text" else _units(clips, settings.split_by)
    place = dict(zip(units[split != ""].tolist(), split[split != ""].tolist(), strict=True))
    free = split == ""
    split[free] = [place.get(unit, "") for unit in units[free].tolist()]
    shares = {name: share for name, share in _shares(settings).items() if name not in fixed}
    pool = np.flatnonzero((split == "train") | (split == ""))
    if not shares or not len(pool):
        split[pool] = "train"
    else:
        split = first_whole(
            clips,
            lambda again: _with(
                split, pool, _dealt(clips, units, pool, shares, "split", seed, *again, unit=_unit(settings))
            ),
        )
    return split, (f"{clips.name}: {', '.join(fixed)} as the table fixes them",) if fixed else ()


def _shares(settings: ClipSettings) -> dict[str, float]:
    asked = {"validation": settings.validation, "test": settings.test}
    return {name: share for name, share in asked.items() if share > 0}


def _cut(clips: Clips, units: Strings, settings: ClipSettings, seed: int) -> tuple[Strings, tuple[str, ...]]:
    """One split by shares, or one fold."""
    every = np.arange(len(clips))
    number = len(np.unique(units))
    if settings.folds is None and not settings.leave_one_out:
        split = first_whole(
            clips,
            lambda again: _dealt(clips, units, every, _shares(settings), "split", seed, *again, unit=_unit(settings)),
        )
        how = f"by seed {seed}, {number} {_named(settings)} whole"
    else:
        fold, folds = _fold_of(clips, units, settings, seed)
        _check_fold(clips, fold_in(settings), folds)
        split = np.where(fold == fold_in(settings), "test", "train").astype("<U10")
        split = _with_validation(clips, units, split, settings, seed)
        held = f" ({np.unique(units)[fold_in(settings)]})" if settings.leave_one_out else ""
        how = f"fold {fold_in(settings)} of {folds}{held}, {number} {_named(settings)} whole"
    return split, (_summary(clips, split, how),)


def _unit(settings: ClipSettings) -> str:
    return {"leaky": "clip", "leaky-text": "text"}.get(settings.split_by, settings.split_by)


def _named(settings: ClipSettings) -> str:
    return f"{_unit(settings)}s"


def _summary(clips: Clips, split: Strings, how: str) -> str:
    counts = ", ".join(f"{int((split == name).sum())} {name}" for name in SPLITS)
    return f"{clips.name}: {how}: {counts}"


def _fold_of(clips: Clips, units: Strings, settings: ClipSettings, seed: int) -> tuple[Ints, int]:
    """``(N,)`` the fold in which each clip is tested, and the number of folds.

    Raises:
        DataError: fewer units than folds.
    """
    names, code = np.unique(units, return_inverse=True)
    if settings.leave_one_out:
        if len(names) < 2:
            raise DataError(f"{clips.name}: one {_unit(settings)} alone; none can be left out")
        return code.astype(np.int64), len(names)
    folds = settings.folds or 1
    if len(names) < folds:
        raise DataError(f"{clips.name}: {len(names)} {_named(settings)} cannot be cut into {folds} folds")
    equal, strata = np.full(folds, 1 / folds), clip_strata(clips)
    # One draw for all folds, or a clip would be tested in two of them.
    found = first_that(
        lambda again: assign(clips.ids, units, strata, equal, "folds", seed, folds, *again),
        lambda fold: all(has_all(clips, fold != k) for k in range(folds)),
    )
    return found, folds


def _check_fold(clips: Clips, fold: int, folds: int) -> None:
    if fold >= folds:
        raise UsageError(f"{clips.name}: fold = {fold}, but there are {folds}; write 0 to {folds - 1}")


def _with_validation(clips: Clips, units: Strings, split: Strings, settings: ClipSettings, seed: int) -> Strings:
    """Validation cut from what a fold leaves for training, in whole units."""
    if settings.validation <= 0:
        return split
    rest, shares = np.flatnonzero(split == "train"), {"validation": settings.validation}
    purpose = ("fold", seed, settings.folds or 0, fold_in(settings))
    return first_whole(
        clips,
        lambda again: _with(split, rest, _dealt(clips, units, rest, shares, *purpose, *again, unit=_unit(settings))),
    )


def _with(split: Strings, rows: Ints, parts: Strings) -> Strings:
    """A copy of ``split`` with other parts of some rows."""
    changed = split.copy()
    changed[rows] = parts
    return changed


def _dealt(
    clips: Clips, units: Strings, rows: Ints, shares: Mapping[str, float], *purpose: object, unit: str
) -> Strings:
    """``(len(rows),)`` the part that each row goes to; ``shares`` are of those rows, train gets the rest."""
    ids, noun, classes = clips.ids[rows], clips.noun, clip_strata(clips)[rows]
    advice = "; write [clips] validation = 0"
    if "test" in shares and len(np.unique(units[rows])) == 1:
        advice += f' and test = 0 to learn from this {unit}, or split_by = "leaky", which says that it leaks'
    return deal(clips.name, ids, units[rows], classes, shares, *purpose, noun=noun, unit=unit, advice=advice)


def clip_strata(clips: Clips) -> Ints:
    """``(N,)`` int64 from 0: the first task's class, which a split is balanced by."""
    index = next(iter(clips.labels.values())).index + 1
    return index.astype(np.int64)


def _crossed(clips: Clips, settings: ClipSettings, seed: int) -> tuple[Strings, tuple[str, ...]]:
    """By speaker and by text at once: a clip is in a part if both are, and else in none; shares are of each."""
    speakers, texts = clips.groups, _column(clips, "text")
    if settings.folds is None and not settings.leave_one_out:
        every = np.arange(len(clips))
        split = first_whole(
            clips,
            lambda again: _in_both(
                *(
                    _dealt(clips, units, every, _shares(settings), "split", seed, name, *again, unit=name)
                    for name, units in (("speaker", speakers), ("text", texts))
                )
            ),
        )
        how = f"by seed {seed}, {len(np.unique(speakers))} speakers and {len(np.unique(texts))} texts whole"
    else:
        (fold_a, folds_a), (fold_b, folds_b) = (_fold_of(clips, u, settings, seed) for u in (speakers, texts))
        _check_fold(clips, fold_in(settings), folds_a * folds_b)
        a, b = divmod(fold_in(settings), folds_b)
        split = _in_both(
            *(
                _with_validation(clips, units, np.where(fold == held, "test", "train").astype("<U10"), settings, seed)
                for units, fold, held in ((speakers, fold_a, a), (texts, fold_b, b))
            )
        )
        how = f"fold {fold_in(settings)} of {folds_a * folds_b}, speakers and texts whole"
    left = int((split == "").sum())
    return split, (f"{_summary(clips, split, how)}; {left} clips left out, which would share a speaker or a text",)


def _in_both(first: Strings, second: Strings) -> Strings:
    """The part of each clip where both say the same, else none."""
    return np.where(first == second, first, "").astype("<U10")


def _leaks(clips: Clips, split: Strings, settings: ClipSettings) -> tuple[str, ...]:
    """Speakers that stand in more than one split: refused, unless the split's name says so.

    Raises:
        DataError: how many speakers, and the first of them.
    """
    used = split != ""
    pairs = np.unique(np.stack([clips.groups[used].astype(np.str_), split[used].astype(np.str_)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    shared = names[counts > 1].tolist()
    if settings.split_by in LEAKY:
        return (
            f"{clips.name}: split_by = {settings.split_by} LEAKS: {len(shared)} of {len(names)} speakers stand in "
            "several splits",
        )
    if shared:
        raise DataError(
            f"{clips.name}: {len(shared)} speaker(s) stand in more than one split: {first(shared)}; correct the table, "
            "cut it anew (folds), or write split_by = leaky to go on with the leak stated"
        )
    return ()
