"""By group: how well a task is done for the clips of each group of people, and the difference between groups.

A further label of the clips (the recorded sex, an accent, a level) says which group a clip is in. Intervals hold for
other *speakers*: whole speakers are drawn, never single clips, since clips of one speaker resemble each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError, first
from affekt.study.statistics.difference import reach
from affekt.study.statistics.resampling import DRAWS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ACCURACY, RECALL = 0, 1
"""Places of the two scores in ``(..., 2)`` arrays."""


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A share from 0 to 1, or a difference of two, with its interval; None where too few speakers allow none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class OfGroup:
    """One group: its name, clips and speakers, accuracy, and average recall over ``ByGroup.classes``."""

    name: str
    clips: int
    speakers: int
    accuracy: Bounded
    recall: Bounded


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """``first`` minus ``second``."""

    first: str
    second: str
    accuracy: Bounded
    recall: Bounded


@dataclass(frozen=True, kw_only=True)
class ByGroup:
    """What :func:`by_group` finds.

    Attributes:
        groups: in the order of their names.
        differences: of every two groups.
        classes: those that every group has; average recalls are over these, so that they can be compared.
        notes: what an interval could not be given for, and which classes were left out, a line each.
        level: of the intervals.
    """

    groups: tuple[OfGroup, ...]
    differences: tuple[GroupDifference, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    level: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def by_group(
    predicted: ArrayLike,
    target: ArrayLike,
    groups: ArrayLike,
    speakers: ArrayLike,
    *,
    classes: Sequence[str],
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> ByGroup:
    """Accuracy and average recall of each group, and differences between groups, with intervals over speakers.

    Speakers of the same groups are drawn together, with replacement, as many as there are, while all others stand
    still; women and men are so drawn one after the other. What each of these draws adds to the error is widened by the
    Student's t of its own number of speakers (:func:`~affekt.study.statistics.difference.reach`), and is never less
    than one clip more or less. One speaker alone says nothing of others: no interval.

    Args:
        predicted: ``(N,)`` int, the class that was said; or ``(R, N)`` of R networks, over which scores are means.
        target: ``(N,)`` int, the true class; -1 for unknown, which is left out.
        groups: ``(N,)`` words; ``""`` for unknown, which is left out.
        speakers: ``(N,)`` who speaks.
        classes: K names.
        draws, seed: of the bootstrap.
        level: of the intervals.

    Raises:
        UsageError: arrays of different lengths, fewer than two groups, no class that all groups have.
    """
    counts = _count(predicted, target, groups, speakers, len(classes))
    if len(counts.groups) < 2:
        raise UsageError(f"by_group: {len(counts.groups)} group(s) with labels; two or more are asked to compare")
    shared = (counts.total.sum(axis=0) > 0).all(axis=0)
    if not shared.any():
        raise UsageError(f"by_group: no class that all groups have: {first(counts.groups)}")
    drawn = [_draw(counts, members, shared, draws, seed) for members in _alike(counts)]
    bounds = _Bounds(counts.scores(np.ones((1, len(counts.total))), shared)[0], drawn, (1 - level) / 2)
    numbers = range(len(counts.groups))
    return ByGroup(
        groups=tuple(_of_group(counts, bounds, g) for g in numbers),
        differences=tuple(
            GroupDifference(
                first=counts.groups[a],
                second=counts.groups[b],
                accuracy=bounds(ACCURACY, a, b),
                recall=bounds(RECALL, a, b),
            )
            for a, b in combinations(numbers, 2)
        ),
        classes=tuple(name for name, kept in zip(classes, shared.tolist(), strict=True) if kept),
        notes=_notes(counts, classes, shared, drawn),
        level=level,
    )


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """``(S, G, K)`` numbers of clips of each speaker, group and true class: all of them, and those that were found."""

    groups: tuple[str, ...]
    total: Floats
    right: Floats

    def scores(self, times: Floats, shared: NDArray[np.bool_]) -> Floats:
        """``(B, S)`` how often each speaker counts -> ``(B, G, 2)`` accuracy and average recall.

        A class that a draw has no clip of is left out of its average.
        """
        total, right = (np.einsum("bs,sgk->bgk", times, part) for part in (self.total, self.right))
        with np.errstate(invalid="ignore", divide="ignore"):
            accuracy = right.sum(axis=2) / total.sum(axis=2)
            recall = (right / total)[:, :, shared]
        known = ~np.isnan(recall)
        with np.errstate(invalid="ignore"):
            average = np.where(known, recall, 0).sum(axis=2) / known.sum(axis=2)
        return np.stack([accuracy, average], axis=2)


def _count(predicted: ArrayLike, target: ArrayLike, groups: ArrayLike, speakers: ArrayLike, classes: int) -> _Counts:
    said, true = np.atleast_2d(np.asarray(predicted)), np.asarray(target)
    words, who = np.asarray(groups).astype(np.str_), np.asarray(speakers).astype(np.str_)
    shapes = {said.shape[1:], true.shape, words.shape, who.shape}
    if len(shapes) != 1 or said.ndim != 2:
        raise UsageError(f"by_group: arrays of shapes {sorted(shapes)}; one entry for each of N clips is asked")
    known = (true >= 0) & (words != "")
    names, g = np.unique(words[known], return_inverse=True)
    people, s = np.unique(who[known], return_inverse=True)
    total, right = np.zeros((2, len(people), len(names), classes))
    np.add.at(total, (s, g, true[known]), 1)
    np.add.at(right, (s, g, true[known]), (said == true).mean(axis=0)[known])
    return _Counts(groups=tuple(names.tolist()), total=total, right=right)


def _alike(counts: _Counts) -> list[Ints]:
    """Rows of the speakers who are in the same groups, for each such set of groups."""
    member = counts.total.sum(axis=2) > 0
    _, kind = np.unique(member, axis=0, return_inverse=True)
    return [np.flatnonzero(kind == k) for k in range(int(kind.max()) + 1)]


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """What draws of n speakers of the same groups do.

    Attributes:
        speakers: n.
        clips: of these speakers.
        member: ``(G,)`` the groups that they are in.
        scores: ``(B, G, 2)``, all other speakers standing still; None for one speaker.
    """

    speakers: int
    clips: int
    member: NDArray[np.bool_]
    scores: Floats | None


def _draw(counts: _Counts, members: Ints, shared: NDArray[np.bool_], draws: int, seed: int) -> _Drawn:
    n = len(members)
    own = counts.total[members].sum(axis=(0, 2))
    found = None
    if n > 1:
        times = np.ones((draws, len(counts.total)))
        times[:, members] = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
        found = counts.scores(times, shared)
    return _Drawn(speakers=n, clips=int(own.sum()), member=own > 0, scores=found)


@dataclass(frozen=True)
class _Bounds:
    """``(G, 2)`` scores and the draws -> a score, or the difference of two, with its interval."""

    values: Floats
    drawn: Sequence[_Drawn]
    tail: float

    def __call__(self, measure: int, group: int, other: int | None = None) -> Bounded:
        asked = [group] if other is None else [group, other]
        value = float(self.values[group, measure] - (0 if other is None else self.values[other, measure]))
        parts = []
        for part in self.drawn:
            if not part.member[asked].any():
                continue
            if part.scores is None:
                return Bounded(value=value, low=None, high=None)
            scores = part.scores[:, group, measure] - (0 if other is None else part.scores[:, other, measure])
            # n drawn from n have a variance smaller by (n - 1) / n than what they stand for.
            error = float(np.nanstd(scores)) * math.sqrt(part.speakers / (part.speakers - 1))
            parts.append((math.hypot(error, 1 / part.clips), float(part.speakers - 1)))
        far = reach(parts, self.tail)
        return Bounded(value=value, low=value - far, high=value + far)


def _of_group(counts: _Counts, bounds: _Bounds, group: int) -> OfGroup:
    own = counts.total[:, group].sum(axis=1)
    return OfGroup(
        name=counts.groups[group],
        clips=int(own.sum()),
        speakers=int((own > 0).sum()),
        accuracy=bounds(ACCURACY, group),
        recall=bounds(RECALL, group),
    )


def _notes(
    counts: _Counts, classes: Sequence[str], shared: NDArray[np.bool_], drawn: Sequence[_Drawn]
) -> tuple[str, ...]:
    left_out = [name for name, kept in zip(classes, shared.tolist(), strict=True) if not kept]
    notes = [f"{first(left_out)}: not in every group, and so in no average recall"] if left_out else []
    for part in drawn:
        if part.scores is None:
            names = " and ".join(np.array(counts.groups)[part.member].tolist())
            notes.append(f"{names}: one speaker stands for no other; no interval")
    return tuple(notes)
