"""Confusions: which category is taken for which, and whether a model's are people's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affekt.errors import UsageError
from affekt.humans.agreement import checking
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CONSTANT = 1e-12


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Who responded what to which category.

    Attributes:
        counts: ``(K, K)`` responses to stimuli of each category (rows) by category of the response (columns). Not whole
            numbers where responses are shares of votes or probabilities.
    """

    counts: Floats

    @property
    def shares(self) -> Floats:
        """``(K, K)`` counts divided by their row's sum; NaN in the rows of :attr:`absent`."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.where(total > 0, total, np.nan))

    @property
    def absent(self) -> tuple[int, ...]:
        """Categories that no stimulus is of; they have no row of shares and count in no correlation."""
        return tuple(int(k) for k in np.flatnonzero(self.counts.sum(axis=1) == 0))


@dataclass(frozen=True, kw_only=True)
class ConfusionAgreement:
    """Pearson correlation of the row shares of two confusion matrices, in [-1, 1].

    Attributes:
        every_cell: over all cells. Right answers fill the diagonal, so that any two good observers correlate highly.
        off_diagonal: over the errors alone: whether they go the same way.
    """

    every_cell: Estimate
    off_diagonal: Estimate


def confusion_matrix(truth: ArrayLike, responses: ArrayLike, *, classes: int) -> Confusion:
    """Count responses.

    Args:
        truth: ``(N,)`` category of each stimulus, 0 to K - 1.
        responses: ``(N,)`` one category for each stimulus, or ``(N, K)`` votes or probabilities, which are counted as
            they are: ten votes count ten times.
        classes: K.

    Raises:
        UsageError: other shapes.
        DataError: labels that are no class, votes that are negative or absent: how many, and the first.
    """
    rows = checking.labels(truth, classes, "truth", stimuli=np.asarray(truth).size)
    given = _responses(responses, classes, "responses", len(rows))
    counts = np.zeros((classes, classes))
    np.add.at(counts, rows, given)
    return Confusion(counts=counts)


def confusion_agreement(
    models: Mapping[str, ArrayLike], people: ArrayLike, truth: ArrayLike, shared: Bootstrap, *, classes: int
) -> dict[str, ConfusionAgreement]:
    """Correlate each model's confusion matrix with people's.

    Every stimulus counts the same in both matrices, however many votes it has. Categories without a stimulus, in all
    or in a resample, are left out there.

    Args:
        models: name -> ``(N,)`` categories or ``(N, K)`` probabilities.
        people: ``(N,)`` categories or ``(N, K)`` votes.
        truth: ``(N,)`` category of each stimulus, 0 to K - 1.
        shared: the bootstrap of these N stimuli.
        classes: K.

    Returns:
        In the order of ``models``; undefined, with the reason, where all cells of one side are the same.

    Raises:
        UsageError: no models, other shapes.
        DataError: as :func:`confusion_matrix`.
    """
    if not models:
        raise UsageError("confusion_agreement: no models; a name and responses for each are asked")
    rows = checking.labels(truth, classes, "truth", stimuli=shared.stimuli)
    every = [_responses(people, classes, "people", len(rows))]
    every += [_responses(given, classes, f"model {name}", len(rows)) for name, given in models.items()]
    # (N, (1 + M) K): one matrix product for each category makes a row of all matrices.
    given = np.concatenate([x / x.sum(axis=1, keepdims=True) for x in every], axis=1)
    found = shared(lambda weights: _agreement(weights, given, rows, classes), classes * given.shape[1])
    agreement = {}
    for m, name in enumerate(models):
        cells, errors = (
            estimate(found[:, m, k], units=shared.units, reason=f"all {what} of {name} or of people are the same")
            for k, what in enumerate(("cells", "off-diagonal cells"))
        )
        agreement[name] = ConfusionAgreement(every_cell=cells, off_diagonal=errors)
    return agreement


def confusion_among(
    people: Mapping[str, ArrayLike], truth: ArrayLike, shared: Bootstrap, *, classes: int
) -> ConfusionAgreement:
    """Correlate each person's confusion matrix with that of all the others together, averaged over people.

    Of the stimuli that the person and some other have responded to, each counting the same. A person without a
    correlation (one who has seen a single category, or has no errors to correlate) is left out of the mean, in a
    resample as in all. It is how well one person stands for the others: a model that knows the mean of people can be
    nearer to them.

    Args:
        people: two or more, name -> ``(N,)`` categories, -1 where there was no response.
        truth: ``(N,)`` category of each stimulus, 0 to K - 1.
        shared: the bootstrap of these N stimuli.
        classes: K.

    Returns:
        Undefined, with the reason, where nobody has a correlation.

    Raises:
        UsageError: fewer than two people, other shapes.
        DataError: as :func:`confusion_matrix`.
    """
    if len(people) < 2:
        raise UsageError(f"confusion_among: {len(people)} people; two or more are asked")
    rows = checking.labels(truth, classes, "truth", stimuli=shared.stimuli)
    each = [_one_person(given, classes, f"person {name}", len(rows)) for name, given in people.items()]
    votes = np.sum(each, axis=0)
    pairs = [pair for own in each if (pair := _against(own, votes - own, rows)) is not None]
    found = np.full((1 + shared.resamples, 1, 2), np.nan)
    if pairs:
        found = shared(
            lambda weights: np.stack([_agreement(weights * s, g, rows, classes)[:, 0] for s, g in pairs], axis=1),
            2 * classes**2,
        )
    there = ~np.isnan(found)
    count = there.sum(axis=1)
    mean = np.where(count > 0, np.where(there, found, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    cells, errors = (
        estimate(mean[:, k], units=shared.units, reason=f"no person has {what} to correlate with the others'")
        for k, what in enumerate(("cells", "off-diagonal cells"))
    )
    return ConfusionAgreement(every_cell=cells, off_diagonal=errors)


def _one_person(given: ArrayLike, classes: int, what: str, stimuli: int) -> Floats:
    """``(N, K)`` a one for each response; rows of zeros without."""
    array = np.asarray(given)
    silent = array == -1
    rows = checking.labels(np.where(silent, 0, array), classes, what, stimuli=stimuli)
    return np.asarray(np.eye(classes)[rows] * ~silent[:, None])


def _against(own: Floats, others: Floats, rows: Ints) -> tuple[Floats, Floats] | None:
    """``(N,)`` 1 for stimuli that both have; ``(N, 2 K)`` shares of the others' responses, then the person's. None
    where these are of fewer than two categories."""
    total = others.sum(axis=1, keepdims=True)
    seen = own.any(axis=1) & (total[:, 0] > 0)
    if len(np.unique(rows[seen])) < 2:
        return None
    return seen.astype(np.float64), np.concatenate([others / np.maximum(total, 1), own], axis=1) * seen[:, None]


def _responses(given: ArrayLike, classes: int, what: str, stimuli: int) -> Floats:
    array = np.asarray(given)
    if array.ndim != 2:
        return np.asarray(np.eye(classes)[checking.labels(array, classes, what, stimuli=stimuli)])
    votes = checking.counts(array, what, stimuli=stimuli)
    if votes.shape[1] != classes:
        raise UsageError(f"{what}: {votes.shape[1]} columns for {classes} classes; the same number is asked")
    return votes


def _agreement(weights: Floats, given: Floats, rows: Ints, classes: int) -> Floats:
    """``(r, M, 2)`` correlations of M matrices with the first one: every cell, off-diagonal."""
    shares = np.zeros((len(weights), given.shape[1] // classes, classes, classes))
    held = np.zeros((len(weights), 1, classes, 1))
    for k in np.unique(rows):
        of = np.flatnonzero(rows == k)
        chosen = weights[:, of]
        total = chosen.sum(axis=1, keepdims=True)
        shares[:, :, k] = (chosen @ given[of] / np.maximum(total, 1)).reshape(len(weights), -1, classes)
        held[:, 0, k, 0] = total[:, 0] > 0
    every = np.broadcast_to(held, (len(weights), 1, classes, classes))
    return np.stack([_correlation(shares, every), _correlation(shares, every * (1 - np.eye(classes)))], axis=2)


def _correlation(shares: Floats, counted: Floats) -> Floats:
    """``(r, M)`` Pearson over the counted cells of each matrix with the first; NaN where one has equal cells."""
    cells = np.maximum(counted.sum(axis=(2, 3), keepdims=True), 1)
    centred = (shares - (shares * counted).sum(axis=(2, 3), keepdims=True) / cells) * counted
    people, models = centred[:, :1], centred[:, 1:]
    spread = np.square(models).sum(axis=(2, 3)) * np.square(people).sum(axis=(2, 3))
    defined = spread > _CONSTANT**2
    scale = np.sqrt(np.where(defined, spread, 1.0))
    return np.where(defined, np.clip((people * models).sum(axis=(2, 3)) / scale, -1, 1), np.nan)
