"""Stratifying: which part each item goes to, so that groups stay whole and every part looks like the whole."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from affekt.data.stimuli import Ints, Labels, Strings
from affekt.errors import DataError, UsageError
from affekt.randomness import stream

Floats = NDArray[np.float64]

_BINS = 5


def strata(labels: Labels, n: int) -> Ints:
    """``(n,)`` int64 from 0: what a split is balanced by.

    The category where there is one (an unknown category is a stratum of its own), else the category with most votes,
    else fifths of valence (or of the first rating there is; not rated: a stratum of its own), else one stratum for all.
    """
    if labels.category is not None:
        return labels.category.astype(np.int64) + 1
    if labels.votes is not None:
        return np.where(labels.votes.sum(axis=1) > 0, labels.votes.argmax(axis=1) + 1, 0).astype(np.int64)
    if labels.ratings:
        name = "valence" if "valence" in labels.ratings else next(iter(labels.ratings))
        return _fifths(labels.ratings[name])
    return np.zeros(n, dtype=np.int64)


def _fifths(values: NDArray[np.float32]) -> Ints:
    rated = np.isfinite(values)
    if not rated.any():
        return np.zeros(len(values), dtype=np.int64)
    edges = np.quantile(values[rated], np.arange(1, _BINS) / _BINS)
    return np.where(rated, 1 + np.searchsorted(edges, values, side="right"), 0).astype(np.int64)


def deal(
    name: str,
    ids: Strings,
    units: Strings,
    classes: Ints,
    shares: Mapping[str, float],
    *purpose: object,
    noun: str,
    unit: str,
    advice: str = "",
) -> Strings:
    """``(N,)`` names of the parts that items go to; train gets what ``shares`` leave.

    Args:
        name: of the set, for messages.
        ids, units, classes: as of :func:`assign`.
        noun, unit, advice: what messages call an item and a unit, and what they end in.

    Raises:
        UsageError: the shares leave nothing to train on.
        DataError: fewer units than parts.
    """
    rest = 1 - sum(shares.values())
    if rest <= 1e-9:
        asked = ", ".join(f"{part} = {share:g}" for part, share in shares.items())
        raise UsageError(f"{name}: {asked} leave no {noun} to train on; write shares that sum to less than 1")
    parts = np.array(["train", *shares])
    found = len(np.unique(units))
    if found < len(parts):
        raise DataError(
            f"{name}: {found} {unit}{'' if found == 1 else 's'} cannot be cut into {', '.join(parts.tolist())}{advice}"
        )
    return parts[assign(ids, units, classes, np.array([rest, *shares.values()]), *purpose)]


def draws(names: Strings, *purpose: object) -> Floats:
    """``(N,)`` in [0, 1): a number for each name that depends on nothing but the name and the purpose."""
    return np.array([stream(*purpose, name) for name in names.tolist()], dtype=np.float64) * 2.0**-63


def assign(ids: Strings, groups: Strings, classes: Ints, shares: Floats, *purpose: object) -> Ints:
    """``(N,)`` part of each item, a function of the names alone, whatever their order.

    Groups of several items are dealt one by one, the large ones first (up to a factor of four in size is left to
    chance): each to the emptiest part, in terms of what the group holds, that it fits into - by chance where parts are
    equally empty, so that a large group is in the test split for some seeds - or, fitting nowhere, to where it does
    least harm. Then the single items fill each stratum of each part up.

    Args:
        ids: ``(N,)`` unique names.
        groups: ``(N,)`` items of one group go to one part.
        classes: ``(N,)`` strata, from 0.
        shares: ``(P,)`` share of each part, summing to one; the first part (train) gets what is rare.
        purpose: names of the draw, e.g. ``"split", seed``.
    """
    names, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    _, classes = np.unique(classes, return_inverse=True)
    target = shares[:, None] * np.bincount(classes)[None, :]
    several = sizes[code] > 1
    part_of_group = np.zeros(len(names), dtype=np.int64)
    table = np.zeros((len(names), target.shape[1]))
    np.add.at(table, (code[several], classes[several]), 1)
    many = np.flatnonzero(sizes > 1)
    part_of_group[many], filled = _deal(table[many], target, draws(names[many], "group", *purpose))
    part: Ints = part_of_group[code]
    single = np.flatnonzero(~several)
    part[single] = _fill(classes[single], target, filled, draws(ids[single], "item", *purpose))
    return _none_empty(part, code, shares, draws(names, "repair", *purpose))


def _deal(table: Floats, target: Floats, chance: Floats) -> tuple[Ints, Floats]:
    """Groups with their counts ``(G, K)`` -> the part of each, and the ``(P, K)`` counts that the parts then have."""
    wanted = np.concatenate([target, target.sum(axis=1, keepdims=True)], axis=1)
    counts = np.concatenate([table, table.sum(axis=1, keepdims=True)], axis=1)
    weight = 1 / np.maximum(wanted, 1e-9)
    filled = np.zeros_like(wanted)
    part = np.zeros(len(table), dtype=np.int64)
    for group in np.argsort(-(np.log2(np.maximum(counts[:, -1], 1)) + 2 * chance), kind="stable"):
        held = counts[group]
        fullness = (held * filled * weight).sum(axis=1)
        fits = ((filled + held <= wanted + 1e-9) | (held == 0)).all(axis=1)
        if fits.any():
            level = fits & (fullness <= fullness[fits].min() + 1e-9)
            part[group] = _pick(level * wanted[:, -1], chance[group])
        else:
            # The least growth of sum (filled - wanted)^2 / wanted over the strata and the total.
            growth = (held * (held + 2 * (filled - wanted)) * weight).sum(axis=1)
            growth[wanted[:, -1] == 0] = np.inf
            part[group] = int(growth.argmin())
        filled[part[group]] += held
    return part, filled[:, :-1]


def _pick(weights: Floats, chance: float) -> int:
    """A part with a probability in proportion to its weight; ``chance`` in [0, 1)."""
    steps = np.cumsum(weights)
    return int(np.searchsorted(steps, chance * steps[-1], side="right"))


def _fill(classes: Ints, target: Floats, filled: Floats, chance: Floats) -> Ints:
    """Single items -> parts, stratum by stratum, so that counts come within one of what is wanted."""
    part = np.zeros(len(classes), dtype=np.int64)
    carried = np.zeros(len(target))
    for stratum in range(target.shape[1]):
        rows = np.flatnonzero(classes == stratum)
        if not len(rows):
            continue
        room = np.maximum(target[:, stratum] - filled[:, stratum], 0)
        ideal = room / max(room.sum(), 1e-9) * len(rows) + carried
        counts = round_to_sum(ideal, len(rows))
        if filled[0, stratum] + counts[0] == 0 and target[0, stratum] > 0:
            counts[counts.argmax()] -= 1
            counts[0] += 1
        carried = ideal - counts
        order = rows[np.argsort(chance[rows], kind="stable")]
        part[order] = np.repeat(np.arange(len(target)), counts)
    return part


def round_to_sum(ideal: Floats, total: int) -> Ints:
    """Whole numbers, 0 or more, that sum to ``total`` and lie close to ``ideal`` (largest remainder)."""
    counts = np.maximum(np.floor(ideal), 0).astype(np.int64)
    while (short := total - int(counts.sum())) != 0:
        remainder = ideal - counts
        if short > 0:
            counts[np.argsort(-remainder, kind="stable")[:short]] += 1
        else:
            candidates = np.where(counts > 0, remainder, np.inf)
            counts[np.argsort(candidates, kind="stable")[: min(-short, int((counts > 0).sum()))]] -= 1
    return counts


def _none_empty(part: Ints, code: Ints, shares: Floats, chance: Floats) -> Ints:
    """Give every part that is asked for at least one group, where there are groups enough."""
    sizes = np.bincount(code, minlength=len(chance))
    part_of_group = np.zeros(len(chance), dtype=np.int64)
    part_of_group[code] = part
    for empty in np.flatnonzero(shares > 0):
        groups_of = np.bincount(part_of_group, minlength=len(shares))
        if groups_of[empty] or groups_of.max() < 2:
            continue
        donors = np.flatnonzero(part_of_group == int(groups_of.argmax()))
        part_of_group[donors[np.lexsort((chance[donors], sizes[donors]))[0]]] = empty
    return part_of_group[code]


def draw_stratified(ids: Strings, classes: Ints, n: int, *purpose: object) -> Ints:
    """``(n,)`` sorted row numbers of ``n`` items, each stratum by its share and, where ``n`` allows, with one at least.

    A function of the names alone; within a stratum a larger ``n`` adds items and takes none away.
    """
    present, code, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    spare = n - len(present)
    if spare >= 0 and n < len(ids):
        counts = 1 + round_to_sum((sizes - 1) / max((sizes - 1).sum(), 1) * spare, spare)
    else:
        counts = round_to_sum(sizes / len(ids) * n, n)
    chance = draws(ids, *purpose)
    rank = np.empty(len(ids), dtype=np.int64)
    order = np.lexsort((chance, code))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank[order] = np.arange(len(ids)) - np.repeat(starts, sizes)
    return np.flatnonzero(rank < counts[code])


def draw_evenly(ids: Strings, split: Strings | None, classes: Ints, n: int, *purpose: object) -> Ints:
    """As :func:`draw_stratified`, of each stratum of each split that the set fixes."""
    if split is None:
        return draw_stratified(ids, classes, n, *purpose)
    parts = np.unique(split, return_inverse=True)[1]
    return draw_stratified(ids, parts * (classes.max() + 1) + classes, n, *purpose)
