"""Representational dissimilarity: how far apart two stimuli are, for features, ratings, votes and categories.

Every matrix is *condensed*: ``(N (N - 1) / 2,)`` float64, pairs (0, 1), (0, 2), ..., (N - 2, N - 1), the order of
``scipy.spatial.distance.squareform``, which turns it into an N x N one.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist

from affekt.errors import DataError, UsageError, first, unknown
from affekt.humans.representations.blocks import Floats, columns, matrix

VoteMeasure = Literal["jensen-shannon", "correlation"]


def feature_rdm(features: ArrayLike) -> Floats:
    """1 - Pearson correlation over the features of each pair of stimuli (Kriegeskorte et al. 2008), in [0, 2].

    Args:
        features: ``(N, D)`` numbers, D at least 2; ``(N, C, H, W)`` is flattened. They are read in blocks: what is
            needed besides them is two N x N float64 matrices and 128 MiB.

    Raises:
        DataError: fewer than two stimuli or features, numbers that are not finite, a stimulus with the same number in
            every feature (a layer that is silent for it), for which no correlation exists.
    """
    array = matrix(features, "features")
    _pairs_exist(array, "features")
    if array.shape[1] < 2:
        raise DataError(
            "features: one for each stimulus; a correlation over features needs two, a number has rating_rdm"
        )
    total, largest = np.zeros(len(array)), np.zeros(len(array))
    for block in columns(array, "features"):
        total += block.sum(axis=1)
        largest = np.maximum(largest, np.abs(block).max(axis=1))
    mean = total[:, None] / array.shape[1]
    gram = np.zeros((len(array), len(array)))
    for block in columns(array, "features"):
        centred = block - mean
        gram += centred @ centred.T
    norm = np.sqrt(np.diag(gram))
    silent = np.flatnonzero(norm <= 1e-12 * largest * math.sqrt(array.shape[1]))
    if len(silent):
        raise DataError(
            f"features: the same number in every feature of stimulus {first(silent)}: no correlation exists"
        )
    gram /= norm[:, None]
    gram /= norm[None, :]
    return np.asarray(np.clip(1 - gram[np.triu_indices(len(gram), 1)], 0, 2))


def rating_rdm(ratings: ArrayLike) -> Floats:
    """Absolute difference of ``(N,)`` ratings, Euclidean distance of ``(N, K)`` (valence and arousal), in their unit.

    Raises:
        DataError: fewer than two stimuli, a rating that is missing.
    """
    return np.asarray(pdist(_small(ratings, "ratings"), "euclidean"))


def vote_rdm(votes: ArrayLike, *, measure: VoteMeasure = "jensen-shannon") -> Floats:
    """Dissimilarity of the vote shares of each pair of stimuli.

    Args:
        votes: ``(N, K)`` counts or shares; each row is divided by its sum.
        measure: ``"jensen-shannon"``, the square root of the divergence in bits (Endres & Schindelin 2003), in [0, 1];
            or ``"correlation"``, 1 - Pearson over the K categories, in [0, 2].

    Raises:
        UsageError: another measure.
        DataError: negative or missing votes, a stimulus without votes, one category alone; for ``"correlation"`` a
            stimulus with as many votes for each category.
    """
    if measure not in ("jensen-shannon", "correlation"):
        raise UsageError(unknown("measure of votes", measure, ("jensen-shannon", "correlation")))
    table = _small(votes, "votes")
    if (table < 0).any():
        raise DataError(f"votes: {(table < 0).sum()} numbers are negative")
    none = np.flatnonzero(table.sum(axis=1) <= 0)
    if len(none):
        raise DataError(f"votes: none for stimulus {first(none)}; leave out what nobody voted on")
    if table.shape[1] < 2:
        raise DataError("votes: one category; two or more are asked")
    shares = table / table.sum(axis=1, keepdims=True)
    if measure == "correlation":
        return feature_rdm(shares)
    divergence = np.nan_to_num(pdist(shares, "jensenshannon"))  # NaN: the root of a rounding error below 0
    return np.asarray(np.clip(divergence / math.sqrt(math.log(2)), 0, 1))


def category_rdm(labels: ArrayLike) -> Floats:
    """0 for two stimuli of the same category, 1 for two of different ones.

    Args:
        labels: ``(N,)`` numbers or names.

    Raises:
        DataError: fewer than two stimuli, not one label for each.
    """
    _, index = np.unique(_labels(labels), return_inverse=True)
    rows, others = np.triu_indices(len(index), 1)
    return np.asarray(index[rows] != index[others], dtype=np.float64)


def stimuli_of(rdm: ArrayLike) -> int:
    """N of a condensed matrix, or of several in the rows of an array.

    Raises:
        DataError: a length that is not N (N - 1) / 2 of any N (was a square matrix given?).
    """
    pairs = np.shape(rdm)[-1] if np.ndim(rdm) else 0
    stimuli = (1 + math.isqrt(1 + 8 * pairs)) // 2
    if not pairs or stimuli * (stimuli - 1) // 2 != pairs:
        raise DataError(
            f"{pairs} dissimilarities: not N (N - 1) / 2 of any N; scipy.spatial.distance.squareform makes a square "
            "matrix condensed"
        )
    return stimuli


def _small(values: ArrayLike, what: str) -> Floats:
    array = matrix(values, what)
    _pairs_exist(array, what)
    return np.concatenate(list(columns(array, what)), axis=1)


def _labels(labels: ArrayLike) -> NDArray[np.generic]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise DataError(f"labels: shape {array.shape}; one for each of N stimuli is asked")
    _pairs_exist(array, "labels")
    return array


def _pairs_exist(array: NDArray[np.generic], what: str) -> None:
    if len(array) < 2:
        raise DataError(f"{what}: {len(array)} stimulus; dissimilarity is of pairs")
