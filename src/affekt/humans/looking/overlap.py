"""Overlap: what a network's maps have in common with people's fixations, or with a region, measured and compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError, unknown
from affekt.humans.agreement.resampling import Bootstrap
from affekt.humans.looking import measures
from affekt.humans.looking.comparing import Measure, Overlap, compare, estimated
from affekt.humans.looking.measures import FLOOR, SHARE, as_density, people_of, stack
from affekt.humans.looking.regions import highest, masks
from affekt.humans.looking.rivals import SPREAD, centre_bias

Floats = NDArray[np.float64]
Counts = Literal["positive", "absolute"]

COUNTS: dict[str, Callable[[Floats], Floats]] = {"positive": lambda maps: np.maximum(maps, 0.0), "absolute": np.abs}
"""What of a signed map counts."""


def fixation_overlap(
    maps: ArrayLike,
    density: ArrayLike,
    shared: Bootstrap,
    *,
    points: ArrayLike | None = None,
    share: float = SHARE,
    counts: Counts = "positive",
    floor: float = FLOOR,
    spread: float = SPREAD,
    seed: int = 0,
) -> dict[str, Overlap]:
    """NSS, AUC-Judd, shuffled AUC, CC, KL and SIM of a network's maps with people's fixations.

    Args:
        maps: ``(N, H, W)``, the network's.
        density: ``(N, H, W)``, people's continuous map of fixations at the same size.
        shared: bootstrap over the N pictures.
        points: ``(N, H, W)`` numbers of fixations, where they are known; None: :func:`fixated` of the density.
        share: of points that then count as fixated.
        counts: what of a signed map counts, in all measures: ``"positive"``: what speaks for the answer;
            ``"absolute"``: what speaks for or against it.
        floor: of KL.
        spread: of the centre bias.
        seed: of the order in which pictures are others to each other.

    Raises:
        UsageError: shapes that do not fit, an option out of range.
        DataError: numbers that are not finite, a picture without a fixation.
    """
    array = _counted(maps, counts, shared)
    bias = centre_bias(array.shape[1], array.shape[2], spread)
    people = {
        "points": _people(measures.fixated(density, share) if points is None else points, "points", array),
        "density": _people(density, "density", array),
    }
    found = {
        measure.name: compare(measure, _flat(array), people[of], bias.ravel(), shared, seed)
        for of, measure in (*_MEASURES, ("density", _divergence(floor)))
    }
    return found | {"shuffled AUC": _shuffled_auc(array, people["points"].reshape(array.shape), bias, shared)}


def region_overlap(
    maps: ArrayLike,
    mask: ArrayLike,
    shared: Bootstrap,
    *,
    counts: Counts = "positive",
    spread: float = SPREAD,
    seed: int = 0,
) -> dict[str, Overlap]:
    """``"share"`` of a network's maps in a region, and ``"pointing"``, how often their highest point lies there.

    Args:
        maps: ``(N, H, W)``.
        mask: ``(H, W)`` of all pictures, or ``(N, H, W)``; with one for all there is no ``"shuffled"``, since maps of
            other pictures are then as good.
        shared, counts, spread, seed: as of :func:`fixation_overlap`.

    Raises:
        UsageError: shapes that do not fit, an option out of range.
        DataError: numbers that are not finite, a mask out of [0, 1].
    """
    array = _counted(maps, counts, shared)
    bias = centre_bias(array.shape[1], array.shape[2], spread).ravel()
    target = _flat(masks(mask, array.shape))
    return {m.name: compare(m, _flat(array), target, bias, shared, seed) for m in _REGION_MEASURES}


def _dot(one: Floats, two: Floats) -> Floats:
    return np.asarray(np.einsum("np,np->n", one, two))


def _constant(value: float) -> Callable[[Floats], Floats]:
    return lambda target: np.full(len(target), value)


def _correlation(prepared: Floats, density: Floats) -> Floats:
    return np.asarray(np.clip(_dot(prepared, measures.standardised(density)) / density.shape[1], -1, 1))


def _at_fixated(ranked: Floats, points: Floats) -> Floats:
    return measures.area(ranked, (points > 0).astype(np.float64))


def _in_common(q: Floats, density: Floats) -> Floats:
    return np.asarray(np.minimum(q, as_density(density)).sum(axis=1))


_MEASURES = (
    ("points", Measure(name="NSS", prepare=measures.standardised, score=measures.mean_at, uniform=_constant(0.0))),
    ("points", Measure(name="AUC-Judd", prepare=measures.ranks, score=_at_fixated, uniform=_constant(0.5))),
    ("density", Measure(name="CC", prepare=measures.standardised, score=_correlation, uniform=_constant(0.0))),
    (
        "density",
        Measure(
            name="SIM",
            prepare=as_density,
            score=_in_common,
            uniform=lambda density: _in_common(np.full_like(density, 1 / density.shape[1]), density),
        ),
    ),
)
"""Each measure with the side of people that it is of."""

_REGION_MEASURES = (
    Measure(name="share", prepare=as_density, score=_dot, uniform=lambda mask: mask.mean(axis=1)),
    Measure(name="pointing", prepare=highest, score=_dot, uniform=lambda mask: mask.mean(axis=1)),
)


def _divergence(floor: float) -> Measure:
    return Measure(
        name="KL",
        prepare=lambda maps: measures.logarithm(maps, floor),
        score=measures.divergence,
        uniform=lambda density: measures.divergence(np.full_like(density, -np.log(density.shape[1])), density),
        less_is_better=True,
    )


def _shuffled_auc(maps: Floats, points: Floats, bias: Floats, shared: Bootstrap) -> Overlap:
    """The shuffled AUC has the other pictures in itself already: they are no rival to it."""
    silent = np.ptp(_flat(maps), axis=1) == 0
    return estimated(
        "shuffled AUC",
        own=np.where(silent, np.nan, measures.shuffled_auc(maps, points)),
        rivals={
            "uniform": np.full(len(maps), 0.5),
            "centre": measures.shuffled_auc(np.broadcast_to(bias, maps.shape), points),
        },
        pairs=[],
        shared=shared,
    )


def _counted(maps: ArrayLike, counts: str, shared: Bootstrap) -> Floats:
    if counts not in COUNTS:
        raise UsageError(unknown("counts", counts, COUNTS))
    array = stack(maps, "maps")
    if len(array) != shared.stimuli:
        raise UsageError(f"maps of {len(array)} pictures, a bootstrap of {shared.stimuli}; make it for as many")
    return COUNTS[counts](array)


def _people(values: ArrayLike, what: str, maps: Floats) -> Floats:
    shape = np.asarray(values).shape
    if shape != maps.shape:
        raise UsageError(f"{what}: shape {shape} for maps of {maps.shape}; both at one size are asked")
    return people_of(values, what)


def _flat(array: Floats) -> Floats:
    return array.reshape(len(array), -1)
