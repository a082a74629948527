"""Unbiased linear centred kernel alignment: how alike two sets of features order the same stimuli."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from affekt.errors import DataError
from affekt.humans.representations.blocks import Floats, columns, matrix


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One of two sets of features, centred over stimuli: as they are where D < N, else as N x N inner products.

    Attributes:
        table: ``(N, D)`` features or ``(N, N)`` inner products.
        gram: which of the two.
        squares: ``(N,)`` squared length of each stimulus.
    """

    table: Floats
    gram: bool
    squares: Floats


def linear_cka(one: ArrayLike, two: ArrayLike) -> float:
    """Linear CKA (Kornblith et al. 2019, eq. 2) with the unbiased HSIC_1 (Song et al. 2012, eq. 5), in [-1, 1].

    1 for features that differ by a rotation, a shift and one common factor; about 0, and below it as often as above,
    for unrelated ones, however many features there are (the biased form tends to 1 there). It is the cosine of two
    U-centred inner product matrices (Székely & Rizzo 2014), hence the bounds.

    Args:
        one: ``(N, D)`` features, N at least 4; more dimensions are flattened. Read in blocks, computed in float64:
            what is needed besides them is one N x N matrix for each side and 128 MiB.
        two: ``(N, E)``: another layer, ``(N,)`` or ``(N, K)`` ratings, vote shares, or :func:`category_features`.

    Raises:
        DataError: different or fewer than four stimuli, numbers that are not finite, features that do not tell the
            stimuli apart (constant, or all equally far from one another), for which CKA is undefined.
    """
    first, second = matrix(one, "the first features"), matrix(two, "the second features")
    if len(first) != len(second):
        raise DataError(f"features of {len(first)} and of {len(second)} stimuli; join them on the same ones first")
    if len(first) < 4:
        raise DataError(f"features of {len(first)} stimuli; unbiased CKA needs four")
    left, right = _side(first, "the first features"), _side(second, "the second features")
    own = [_own(left, "the first features"), _own(right, "the second features")]
    return float(np.clip(_hsic(left, right) / np.sqrt(own[0] * own[1]), -1, 1))


def category_features(labels: ArrayLike) -> Floats:
    """``(N, K)`` one-hot features of ``(N,)`` numbers or names, columns in their sorted order.

    Raises:
        DataError: not one label for each of N stimuli.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or not len(array):
        raise DataError(f"labels: shape {array.shape}; one for each of N stimuli is asked")
    found, index = np.unique(array, return_inverse=True)
    return np.eye(len(found))[index]


def _side(array: Floats, what: str) -> _Side:
    stimuli, features = array.shape
    centred = (block - block.mean(axis=0) for block in columns(array, what))
    if features < stimuli:
        table = np.concatenate(list(centred), axis=1)
        return _Side(table=table, gram=False, squares=np.square(table).sum(axis=1))
    table = np.zeros((stimuli, stimuli))
    for block in centred:
        table += block @ block.T
    return _Side(table=table, gram=True, squares=np.diag(table).copy())


def _inner(one: _Side, two: _Side) -> float:
    """Sum over all pairs of stimuli of the product of both inner products, whichever way each side is held."""
    if one.gram and two.gram:
        return float(np.vdot(one.table, two.table))
    if one.gram:
        return float(np.vdot(two.table, one.table @ two.table))
    if two.gram:
        return _inner(two, one)
    return float(np.square(one.table.T @ two.table).sum())


def _hsic(one: _Side, two: _Side) -> float:
    """HSIC_1 times N (N - 3), which cancels.

    With centred features each row of the inner products sums to 0, so that without its diagonal it sums to minus the
    squared length; the three terms of Song et al. then need nothing but these lengths and :func:`_inner`.
    """
    n, squares = len(one.squares), float(one.squares @ two.squares)
    total = float(one.squares.sum() * two.squares.sum())
    return _inner(one, two) - n / (n - 2) * squares + total / ((n - 1) * (n - 2))


def _own(side: _Side, what: str) -> float:
    value = _hsic(side, side)
    if value <= 1e-12 * float(side.squares.sum()) ** 2:
        raise DataError(f"{what} do not tell the stimuli apart (constant, or all equally far): CKA is undefined")
    return value
