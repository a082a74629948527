"""Response entropy: how divided people, or a network's probabilities, are on each stimulus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from affekt.errors import UsageError
from affekt.humans.agreement import checking, correlating
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.ratings import same_numbers
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EntropyAgreement:
    """One model's response entropies against people's, over stimuli.

    Attributes:
        mean: the model's mean entropy, in [0, 1].
        difference: that less people's, in [-1, 1]; above 0 the model is the more divided.
        pearson, spearman: whether it is divided on the stimuli that people are divided on.
    """

    mean: Estimate
    difference: Estimate
    pearson: Estimate
    spearman: Estimate


def response_entropy(responses: ArrayLike) -> Floats:
    """``(N,)`` entropy of each stimulus's responses, normalised: 0 where all agree, 1 where all K are as frequent.

    -sum(s log s) / log K with the shares s (Shannon 1948). Few votes make it too small; see :func:`missing_entropy`.

    Args:
        responses: ``(N, K)`` votes or probabilities; rows need not sum to 1.

    Raises:
        UsageError: another shape.
        DataError: negative or missing numbers, rows of zeros: how many, and the first.
    """
    votes = checking.counts(responses, "responses")
    shares = votes / votes.sum(axis=1, keepdims=True)
    return np.asarray(special.entr(shares).sum(axis=1) / np.log(votes.shape[1]))


def missing_entropy(votes: ArrayLike) -> Floats:
    """``(N,)`` nats by which the entropy of finite votes is too small, estimated by the jackknife (Zahl 1977).

    (n - 1) (H - mean H without one of the n votes). Over many stimuli it finds eight tenths or more of what ten votes
    take, where (m - 1) / (2 n) with the number m of chosen categories (Miller 1955) finds half to two thirds:
    seldom chosen categories have no vote to be counted by. For a single stimulus it may be below 0.

    Args:
        votes: ``(N, K)`` whole numbers of votes.

    Returns:
        NaN for a stimulus with one vote, which tells nothing of this.

    Raises:
        UsageError: another shape.
        DataError: negative, missing or broken numbers, rows of zeros: how many, and the first.
    """
    counts = checking.votes(votes, "votes")
    n = counts.sum(axis=1, keepdims=True)
    several = np.where(n > 1, n, np.nan)
    whole = special.xlogy(counts, counts).sum(axis=1, keepdims=True)
    fewer = np.maximum(counts - 1, 0)
    less = whole - special.xlogy(counts, counts) + special.xlogy(fewer, fewer)  # column k: a vote less for k
    entropy, without = np.log(n) - whole / n, np.log(several - 1) - less / (several - 1)
    return np.asarray((n[:, 0] - 1) * (entropy[:, 0] - (counts / n * without).sum(axis=1)))


def entropy_agreement(
    models: Mapping[str, ArrayLike], people: ArrayLike, shared: Bootstrap
) -> dict[str, EntropyAgreement]:
    """Each model's response entropies against people's.

    Args:
        models: name -> ``(N, K)`` probabilities.
        people: ``(N, K)`` votes.
        shared: the bootstrap of these N stimuli.

    Returns:
        In the order of ``models``; correlations are undefined, with the reason, where one side's entropies are equal.

    Raises:
        UsageError: no models, other shapes.
        DataError: votes or probabilities that cannot be: how many, and the first.
    """
    if not models:
        raise UsageError("entropy_agreement: no models; a name and probabilities for each are asked")
    votes = checking.counts(people, "people", stimuli=shared.stimuli)
    theirs = response_entropy(votes)
    rows = {n: checking.probabilities(p, f"model {n}", shape=votes.shape) for n, p in models.items()}
    own = np.stack([response_entropy(p) for p in rows.values()], axis=1)

    def measures(weights: Floats) -> Floats:
        total = weights.sum(axis=1, keepdims=True)
        mean = weights @ own / total
        correlations = (f(weights, own, theirs) for f in (correlating.pearson, correlating.spearman))
        return np.stack([mean, mean - (weights @ theirs)[:, None] / total, *correlations], axis=2)

    found = shared(measures)
    agreement = {}
    for m, name in enumerate(models):
        why = same_numbers(own[:, m], theirs, name)
        mean, difference, pearson, spearman = (
            estimate(found[:, m, k], units=shared.units, reason=why) for k in range(found.shape[2])
        )
        agreement[name] = EntropyAgreement(mean=mean, difference=difference, pearson=pearson, spearman=spearman)
    return agreement
