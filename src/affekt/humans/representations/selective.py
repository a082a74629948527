"""Valence-selective units: those that answer differently to positive and negative pictures, again and not by chance.

After Liu et al. (2024, PLoS Computational Biology 20(3): e1011943), who call a unit of an object-trained network
selective where it prefers one valence *consistently* over two sets of pictures. What is assumed here where a set can be
had only once: its two halves, drawn within each class, stand for the two sets; a unit is selective by a one-way test on
the first half (Student's t squared, where there are two classes) corrected over all units (Benjamini & Hochberg 1995);
it is consistent if it prefers the same class on the second half and the test there, uncorrected, says so too. A class
is preferred if its mean response is the largest. The null distribution permutes the classes over the pictures, which
treats pictures as exchangeable: where they come in themes, a theme may pass for a valence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

from affekt.errors import DataError, UsageError, first
from affekt.humans.representations.blocks import Floats, columns, matrix
from affekt.randomness import generator

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
"""Preference of a unit that is not selective."""


@dataclass(frozen=True, kw_only=True)
class SelectiveUnits:
    """U units and K classes.

    Attributes:
        classes: the K classes, sorted.
        p: ``(U,)`` p value of each unit on the first half; 1 for a unit that is silent.
        selective: ``(U,)`` whether it stands, corrected, at a false discovery rate of ``alpha``.
        preference: ``(U,)`` index of the class preferred on the first half, ``NONE`` where not selective.
        consistent: ``(U,)`` selective, and on the second half of the same preference with p below ``alpha``.
        silent: units with one response to all pictures of a half (dead units); never selective.
        reliability: Pearson correlation between the halves of the class means of all units that are not silent, each
            unit standardised; in [-1, 1], None without such units.
        null_selective: ``(B,)`` number of selective units where classes are permuted.
        null_consistent: ``(B,)`` the same of consistent units.
        alpha: level of the tests.
    """

    classes: tuple[Any, ...]
    p: Floats
    selective: Bools
    preference: Ints
    consistent: Bools
    silent: int
    reliability: float | None
    null_selective: Ints
    null_consistent: Ints
    alpha: float

    @property
    def p_selective(self) -> float:
        """Chance of as many selective units without any relation: (1 + as many or more) / (1 + B)."""
        return _share(self.null_selective, self.selective)

    @property
    def p_consistent(self) -> float:
        """The same of consistent units."""
        return _share(self.null_consistent, self.consistent)

    def counts(self) -> dict[Any, int]:
        """Class -> number of consistent units that prefer it."""
        return {c: int((self.preference[self.consistent] == k).sum()) for k, c in enumerate(self.classes)}


def selective_units(
    responses: ArrayLike, valence: ArrayLike, *, alpha: float = 0.05, draws: int = 1000, seed: int = 0
) -> SelectiveUnits:
    """Units of a layer that are selective for a class of valence, with a permutation null of their number.

    Args:
        responses: ``(N, U)`` responses; ``(N, C, H, W)`` is flattened.
        valence: ``(N,)`` class of each picture, such as ``"negative"`` and ``"positive"``, optionally ``"neutral"``.
        alpha: false discovery rate on the first half and level on the second, in (0, 1).
        draws: B permutations.
        seed: of the halves and the permutations; the same numbers give the same result.

    Raises:
        UsageError: ``alpha`` out of range, no draws.
        DataError: one class alone, a class with fewer than four pictures, responses that are not finite, other lengths.
    """
    if not 0 < alpha < 1 or draws < 1:
        raise UsageError(f"selective_units: alpha = {alpha}, draws = {draws}; alpha in (0, 1) and one draw are asked")
    array = matrix(responses, "responses")
    classes, labels = _classes(valence, len(array))
    halves = _halves(labels, generator("selective units: halves", seed))
    tables = [_standardised(array[half]) for half in halves]
    silent: Bools = np.any([~np.any(table, axis=0) for table in tables], axis=0)
    of_halves = [labels[half] for half in halves]
    means, p, selective, consistent = _tested(tables, of_halves, silent, alpha)
    rng = generator("selective units: null", seed)
    null = np.array(
        [
            [flags.sum() for flags in _tested(tables, [rng.permutation(own) for own in of_halves], silent, alpha)[2:]]
            for _ in range(draws)
        ]
    )
    return SelectiveUnits(
        classes=classes,
        p=p,
        selective=selective,
        preference=np.where(selective, means[0].argmax(axis=0), NONE),
        consistent=consistent,
        silent=int(silent.sum()),
        reliability=_correlation(means[0][:, ~silent].ravel(), means[1][:, ~silent].ravel()),
        null_selective=null[:, 0],
        null_consistent=null[:, 1],
        alpha=alpha,
    )


def _tested(
    tables: list[Floats], labels: list[Ints], silent: Bools, alpha: float
) -> tuple[list[Floats], Floats, Bools, Bools]:
    """Class means of both halves, p values of the first, and which units are selective and consistent."""
    means, p = zip(*(_one_way(table, own) for table, own in zip(tables, labels, strict=True)), strict=True)
    of_first = np.where(silent, 1.0, p[0])
    selective = _discoveries(of_first, alpha)
    same = means[0].argmax(axis=0) == means[1].argmax(axis=0)
    return list(means), of_first, selective, selective & same & (p[1] < alpha)


def _one_way(table: Floats, labels: Ints) -> tuple[Floats, Floats]:
    """``(K, U)`` class means and ``(U,)`` p values of the F test, for columns with mean 0 and mean square 1."""
    sizes = np.bincount(labels)
    count, groups = len(labels), len(sizes)
    means = (np.eye(groups)[labels].T @ table) / sizes[:, None]
    between = np.clip(sizes @ np.square(means), 0, count)
    with np.errstate(divide="ignore"):  # no spread within classes: F is infinite and p is 0
        f = between / (count - between) * ((count - groups) / (groups - 1))
    return means, np.asarray(fdtrc(groups - 1, count - groups, f))


def _discoveries(p: Floats, alpha: float) -> Bools:
    """Benjamini & Hochberg's step-up: the k smallest p values, for the largest k with p_(k) <= alpha k / U."""
    small = np.sort(p[p <= alpha])
    below = np.flatnonzero(small <= alpha * np.arange(1, len(small) + 1) / len(p))
    return p <= small[below[-1]] if len(below) else np.zeros(len(p), dtype=bool)


def _standardised(array: NDArray[Any]) -> Floats:
    """Columns with mean 0 and mean square 1 in float64; all 0 where a unit always says the same."""
    return np.concatenate(list(_standard_blocks(array)), axis=1)


def _standard_blocks(array: NDArray[Any]) -> Iterator[Floats]:
    for block in columns(array, "responses"):
        largest = np.abs(block).max(axis=0)
        centred = block - block.mean(axis=0)
        spread = np.sqrt(np.square(centred).mean(axis=0))
        yield np.where(spread > 1e-12 * largest, centred / np.where(spread > 0, spread, 1), 0.0)


def _halves(labels: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Indices of two halves, each with half of every class; of an odd class, one more in the first."""
    order = [rng.permutation(np.flatnonzero(labels == k)) for k in range(labels.max() + 1)]
    cut = [(len(own) + 1) // 2 for own in order]
    one = np.sort(np.concatenate([own[:n] for own, n in zip(order, cut, strict=True)]))
    two = np.sort(np.concatenate([own[n:] for own, n in zip(order, cut, strict=True)]))
    return one, two


def _classes(valence: ArrayLike, stimuli: int) -> tuple[tuple[Any, ...], Ints]:
    array = np.asarray(valence)
    if array.shape != (stimuli,):
        raise DataError(f"valence of shape {array.shape} for responses to {stimuli} pictures; one class each is asked")
    classes, labels, sizes = np.unique(array, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise DataError(f"valence: all {stimuli} pictures are {classes[0]}; selectivity compares two classes or more")
    few = [f"{c} ({n})" for c, n in zip(classes, sizes, strict=True) if n < 4]
    if few:
        raise DataError(f"valence: {first(few)}: fewer than four pictures; each half needs two of every class")
    return tuple(classes.tolist()), labels.astype(np.int64)


def _correlation(one: Floats, two: Floats) -> float | None:
    if len(one) < 2 or not one.std() or not two.std():
        return None
    return float(np.clip(np.corrcoef(one, two)[0, 1], -1, 1))


def _share(null: Ints, found: Bools) -> float:
    return float((1 + (null >= found.sum()).sum()) / (1 + len(null)))
