"""Representational similarity: the rank correlation of a network's dissimilarities with people's, and its ceiling.

The plain numbers are computed here, rsatoolbox's are the same (a test says so): Spearman's correlation, a bootstrap
over stimuli and people, the noise ceiling. A draw of stimuli is held as *how often* each was drawn, so that the pairs
are sorted once and not in every draw; with 2,000 stimuli and 1,000 draws that is what makes intervals affordable. What
rsatoolbox does beyond it - correlations that are whitened by the covariance of the dissimilarities, Kendall's tau,
ranks under random breaking of ties - is asked of it by :func:`compare_rdms` (extra ``humans``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from affekt.errors import DataError, MissingExtra, UsageError, unknown
from affekt.humans.representations.blocks import Floats
from affekt.humans.representations.groups import Ints, grouped
from affekt.humans.representations.rdm import stimuli_of
from affekt.randomness import generator

Method = Literal["spearman", "rho-a", "tau-a", "corr", "cosine", "corr_cov", "cosine_cov"]
METHODS: tuple[str, ...] = get_args(Method)
"""Comparisons of two matrices, by rsatoolbox's names; ``"spearman"`` needs no extra."""

Unit = Literal["stimuli", "people"]


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """What the true model would reach against these people, at least and at most (Nili et al. 2014).

    Attributes:
        lower: mean correlation of each person's matrix with the mean ranks of the *others*.
        upper: the same with the mean ranks of all, the person's own among them.
    """

    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Rsa:
    """M networks (or layers) against people.

    Attributes:
        score: ``(M,)`` Spearman's correlation in [-1, 1]; its mean over single people where there are any.
        draws: ``(B, M)`` the same in each draw, the same draw for all; NaN where a draw leaves nothing to correlate
            (all dissimilarities equal).
        ceiling: None without single people.
        stimuli: N.
        units: how many are drawn where stimuli are: stimuli, or groups of them.
        people: R; 1 where only their pooled matrix is known.
        resampled: what was drawn.
    """

    score: Floats
    draws: Floats
    ceiling: Ceiling | None
    stimuli: int
    units: int
    people: int
    resampled: tuple[Unit, ...]

    @property
    def undefined(self) -> int:
        """Draws in which some correlation was undefined."""
        return int(np.isnan(self.draws).any(axis=1).sum())

    def interval(self, confidence: float = 0.95) -> Floats:
        """``(M, 2)`` percentile interval over the draws that are defined.

        Raises:
            DataError: no draw is.
        """
        defined = self.draws[~np.isnan(self.draws).any(axis=1)]
        if not len(defined):
            raise DataError(f"none of {len(self.draws)} draws has an RDM with two different dissimilarities")
        tail = (1 - confidence) / 2
        return np.quantile(defined, [tail, 1 - tail], axis=0).T


def compare_rdms(one: ArrayLike, two: ArrayLike, *, method: Method = "spearman") -> float:
    """Similarity of two condensed matrices of the same stimuli, in [-1, 1].

    Args:
        one: ``(P,)`` dissimilarities.
        two: the same.
        method: Spearman's correlation, ties with their mean rank; anything else is computed by rsatoolbox: ``"rho-a"``
            and ``"tau-a"`` where a matrix has many ties (categories), ``"corr_cov"`` and ``"cosine_cov"`` whitened
            (Diedrichsen et al. 2021).

    Raises:
        UsageError: another method.
        DataError: other lengths, numbers that are not finite, all dissimilarities of one matrix equal.
        MissingExtra: rsatoolbox is needed and not installed.
    """
    if method not in METHODS:
        raise UsageError(unknown("comparison of RDMs", method, METHODS))
    tables = _rdms(one, "the first RDM"), _rdms(two, "the second RDM")
    _same_stimuli(*tables)
    if any(len(table) > 1 for table in tables):
        raise DataError("compare_rdms: one RDM each is asked; rsa takes several")
    if method == "spearman":
        return float(_correlations(_Ranked(tables[0]).ranks(), _Ranked(tables[1]).ranks())[0, 0])
    try:
        from rsatoolbox.rdm import RDMs, compare
    except ImportError:
        raise MissingExtra("humans", "rsatoolbox") from None
    return float(compare(RDMs(tables[0]), RDMs(tables[1]), method=method)[0, 0])


def noise_ceiling(people: ArrayLike) -> Ceiling:
    """The ceiling that ``(R, P)`` matrices of single people set to any model's Spearman correlation with them.

    Raises:
        DataError: one person alone, or what :func:`rsa` says of matrices.
    """
    ranks = _Ranked(_rdms(people, "people")).ranks()
    if len(ranks) < 2:
        raise DataError("noise ceiling: one RDM; those of two or more single people are asked")
    total = ranks.sum(axis=0)
    # Ranked again: a model is compared by its ranks too, and no ranking correlates as well as unranked means may.
    upper = _correlations(rankdata(total)[None], ranks)[0]
    lower = [_correlations(rankdata(total - own)[None], own[None])[0, 0] for own in ranks]
    if np.isnan(lower).any():
        raise DataError("noise ceiling: the mean ranks of the others are all equal; more people or stimuli are needed")
    return Ceiling(lower=float(np.mean(lower)), upper=float(np.mean(upper)))


def rsa(
    models: ArrayLike,
    people: ArrayLike,
    *,
    draws: int = 1000,
    resampled: tuple[Unit, ...] | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Rsa:
    """Spearman's correlation of networks' matrices with people's, with a bootstrap and the noise ceiling.

    A draw of N stimuli contains some twice; the pairs of a stimulus with itself, whose dissimilarity is 0 for any
    model, are left out (as rsatoolbox does). Of a group that is drawn twice so are the pairs of its one copy with its
    other: pairs within a group then count as often, on average, as all others do, and not twice as often. With people
    and stimuli drawn at once the intervals are somewhat too wide (Schütt et al. 2023, who correct it by
    ``rsatoolbox.inference.eval_dual_bootstrap``).

    Args:
        models: ``(P,)`` or ``(M, P)`` condensed matrices.
        people: ``(P,)``, of all people pooled, or ``(R, P)``, one of each.
        draws: B.
        resampled: what is drawn; None: stimuli, and people where there are two or more.
        groups: ``(N,)`` what is drawn as a whole (the theme of a picture, the face's owner); None: single stimuli.
        seed: of the draws.

    Raises:
        UsageError: nothing is resampled or something unknown, no draws, groups of another length or one alone.
        DataError: matrices of different stimuli, fewer than three stimuli, numbers that are not finite, a matrix whose
            dissimilarities are all equal (one category alone, a constant rating); people drawn where there is one.
    """
    network, human = _rdms(models, "models"), _rdms(people, "people")
    stimuli = _same_stimuli(network, human)
    units: tuple[Unit, ...] = ("stimuli", "people") if len(human) > 1 else ("stimuli",)
    units = units if resampled is None else resampled
    _resampling(units, len(human), draws)
    unit = grouped(groups, stimuli, "rsa")
    one, two = _Ranked(network), _Ranked(human)
    observed = _correlations(one.ranks(), two.ranks())  # (M, R)
    rng = generator("rsa", seed)
    found = np.empty((draws, len(network)))
    for draw in range(draws):
        table = observed
        if "stimuli" in units:
            weights = _of_pairs(unit, _times(int(unit.max()) + 1, rng))
            table = _correlations(one.ranks(weights), two.ranks(weights), weights)
        chosen = _times(len(human), rng) if "people" in units else np.ones(len(human))
        drawn = chosen > 0
        found[draw] = table[:, drawn] @ chosen[drawn] / chosen.sum()
    return Rsa(
        score=observed.mean(axis=1),
        draws=found,
        ceiling=noise_ceiling(human) if len(human) > 1 else None,
        stimuli=stimuli,
        units=int(unit.max()) + 1,
        people=len(human),
        resampled=units,
    )


class _Ranked:
    """Matrices whose pairs are sorted once; their ranks then follow for any number of times each pair is drawn."""

    def __init__(self, rdms: Floats) -> None:
        self._order = [np.argsort(row, kind="stable") for row in rdms]
        self._starts = [
            np.flatnonzero(np.r_[True, np.diff(row[order]) > 0]) for row, order in zip(rdms, self._order, strict=True)
        ]
        self._plain = np.stack([rankdata(row) for row in rdms])

    def ranks(self, weights: Floats | None = None) -> Floats:
        """``(K, P)`` mean ranks of pairs that occur ``(P,)`` times each (once, where None)."""
        if weights is None:
            return self._plain
        return np.stack([_ranks(o, s, weights) for o, s in zip(self._order, self._starts, strict=True)])


def _ranks(order: NDArray[np.intp], starts: NDArray[np.intp], weights: Floats) -> Floats:
    tied = np.add.reduceat(weights[order], starts)  # how many draws share each value
    middle = np.cumsum(tied) - (tied - 1) / 2
    ranks = np.empty(len(order))
    ranks[order] = np.repeat(middle, np.diff(np.r_[starts, len(order)]))
    return ranks


def _correlations(one: Floats, two: Floats, weights: Floats | None = None) -> Floats:
    """``(M, R)`` Pearson correlations of the rows, NaN where a row has one value alone."""
    left, right = (_standard(table, weights) for table in (one, two))
    return np.clip(left @ right.T, -1, 1)


def _standard(table: Floats, weights: Floats | None) -> Floats:
    """Rows with weighted mean 0 and length 1, each number times the root of its weight."""
    times = np.ones(table.shape[1]) if weights is None else weights
    total = times.sum() or np.nan  # no pairs are left of a draw of one stimulus alone
    centred = (table - (table @ times / total)[:, None]) * np.sqrt(times)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # Ranks are halves of integers: a row that varies at all is longer than this.
    return centred / np.where(length > 1e-6, length, np.nan)


def _of_pairs(unit: Ints, times: Floats) -> Floats:
    """``(P,)`` how often each pair is drawn, where each unit is as often as ``times`` says."""
    rows, others = np.triu_indices(len(unit), 1)
    one, two = unit[rows], unit[others]
    return np.asarray(np.where(one == two, times[one], times[one] * times[two]))


def _times(count: int, rng: np.random.Generator) -> Floats:
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)


def _rdms(values: ArrayLike, what: str) -> Floats:
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if table.ndim != 2:
        raise DataError(f"{what}: shape {table.shape}; (P,) or (rows, P) condensed RDMs are asked")
    if stimuli_of(table) < 3:
        raise DataError(f"{what}: 2 stimuli are one pair; three or more are asked")
    if not np.isfinite(table).all():
        raise DataError(f"{what}: {(~np.isfinite(table)).sum()} dissimilarities are not finite")
    flat = np.flatnonzero(np.ptp(table, axis=1) == 0)
    if len(flat):
        raise DataError(f"{what}: RDM {flat[0]} has the same dissimilarity for all pairs: no rank correlation exists")
    return table


def _same_stimuli(one: Floats, two: Floats) -> int:
    if one.shape[1] != two.shape[1]:
        raise DataError(f"RDMs of {stimuli_of(one)} and of {stimuli_of(two)} stimuli; join them on the same ones first")
    return stimuli_of(one)


def _resampling(units: tuple[Unit, ...], people: int, draws: int) -> None:
    for unit in units:
        if unit not in get_args(Unit):
            raise UsageError(unknown("resampled", unit, get_args(Unit)))
    if not units or draws < 1:
        raise UsageError(f"rsa: draws = {draws} of {', '.join(units) or 'nothing'}; stimuli, people or both are asked")
    if "people" in units and people < 2:
        raise DataError("rsa: people are to be drawn, but one RDM of them is given; the RDM of each person is asked")
