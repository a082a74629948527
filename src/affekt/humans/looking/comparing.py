"""Comparing: a measure's mean over pictures, beside chance, a centre bias and other pictures' maps, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap
from affekt.humans.looking.rivals import other_pictures

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Against:
    """What a measure is held against.

    Attributes:
        value: mean of the measure for that map in place of the network's.
        difference: the network's less it, paired by picture.
    """

    value: Estimate
    difference: Estimate


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """One measure over N pictures.

    Attributes:
        name: of the measure.
        value: its mean over pictures.
        against: ``"uniform"`` (chance: a map that is the same everywhere), ``"centre"`` (a Gaussian in the middle) and
            ``"shuffled"`` (the network's maps of other pictures: what it would say of any), where they mean something.
        each: ``(N,)`` the measure of each picture, NaN where its map is the same everywhere.
        undefined: the number of such pictures, left out of all means.
        less_is_better: of a divergence.
    """

    name: str
    value: Estimate
    against: Mapping[str, Against]
    each: Floats
    undefined: int
    less_is_better: bool = False


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure in two steps, so that one map can be held against several targets.

    Attributes:
        name: of the measure.
        prepare: ``(N, P)`` maps -> ``(N, P)``.
        score: prepared maps, ``(N, P)`` targets -> ``(N,)``.
        uniform: targets -> ``(N,)``, what a map that is the same everywhere has.
        less_is_better: of a divergence.
    """

    name: str
    prepare: Callable[[Floats], Floats]
    score: Callable[[Floats, Floats], Floats]
    uniform: Callable[[Floats], Floats]
    less_is_better: bool = False


Pairs = Sequence[tuple[Ints, Floats]]
"""Several times: another picture for each, and what the measure is for the other's map and this one's target."""


def compare(measure: Measure, maps: Floats, target: Floats, bias: Floats, shared: Bootstrap, seed: int) -> Overlap:
    """Hold ``(N, P)`` maps, and their rivals, against ``(N, P)`` targets.

    Args:
        bias: ``(P,)`` the centre bias.
        seed: of which pictures are others to which. Where all targets are the same there are none: maps of other
            pictures would be as good.
    """
    silent = np.ptp(maps, axis=1, keepdims=True) == 0
    prepared = np.where(silent, np.nan, measure.prepare(maps))
    centre = np.broadcast_to(measure.prepare(bias[None]), target.shape)
    others = other_pictures(len(maps), seed) if np.ptp(target, axis=0).any() else []
    return estimated(
        measure.name,
        own=measure.score(prepared, target),
        rivals={"uniform": measure.uniform(target), "centre": measure.score(centre, target)},
        pairs=[(other, measure.score(prepared[other], target)) for other in others],
        shared=shared,
        less_is_better=measure.less_is_better,
    )


def estimated(
    name: str,
    *,
    own: Floats,
    rivals: Mapping[str, Floats],
    pairs: Pairs,
    shared: Bootstrap,
    less_is_better: bool = False,
) -> Overlap:
    """Means and paired differences over one bootstrap, of the pictures whose own map says something."""
    defined = ~np.isnan(own)

    def means(weights: Floats) -> Floats:
        """``(r, 1 + rivals)``."""
        held = weights * defined
        columns = [_mean([(held, values)]) for values in (own, *rivals.values())]
        if pairs:
            # A pair stands in a resample as often as both of its pictures do.
            columns.append(_mean([(held * weights[:, other], values) for other, values in pairs]))
        return np.stack(columns, axis=1)

    found = shared(means)
    why = f"no map of {len(own)} says anything: each is the same everywhere"
    kept = [estimate(column, units=shared.units, reason=why) for column in (*found.T, *(found[:, :1] - found[:, 1:]).T)]
    names = [*rivals, *(["shuffled"] if pairs else [])]
    return Overlap(
        name=name,
        value=kept[0],
        against={
            rival: Against(value=value, difference=difference)
            for rival, value, difference in zip(names, kept[1:], kept[1 + len(names) :], strict=False)
        },
        each=own,
        undefined=int((~defined).sum()),
        less_is_better=less_is_better,
    )


def _mean(each: Sequence[tuple[Floats, Floats]]) -> Floats:
    """``(r,)`` mean of ``(N,)`` values under ``(r, N)`` weights, over several of both; NaN values have no weight."""
    total = sum(weights @ np.nan_to_num(values) for weights, values in each)
    count = sum(weights @ (~np.isnan(values)).astype(np.float64) for weights, values in each)
    return np.where(np.asarray(count) > 0, np.asarray(total) / np.where(np.asarray(count) > 0, count, 1.0), np.nan)
