"""Calibration: a model's probabilities held against people's votes, beside the best that any model can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from affekt.errors import UsageError
from affekt.humans.agreement import checking
from affekt.humans.agreement.entropy import missing_entropy
from affekt.humans.agreement.estimate import Estimate, estimate
from affekt.humans.agreement.resampling import Bootstrap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class VoteAgreement:
    """One model's probabilities p against the shares s of people's votes, a mean over stimuli.

    Attributes:
        cross_entropy: -sum(s log p), in nats, 0 or more. Undefined where p is 0 for a category with votes.
        kl: ``cross_entropy`` less the entropy of s: Kullback-Leibler divergence of p from s, in nats, 0 or more.
        brier: sum((p - s)^2), in [0, 2] (Brier 1950).
    """

    cross_entropy: Estimate
    kl: Estimate
    brier: Estimate


@dataclass(frozen=True, kw_only=True)
class VoteCeiling:
    """What any model could have on these votes.

    Attributes:
        cross_entropy: the lowest cross-entropy, in nats: the entropy of the vote shares, which a model reaches that
            gives the shares themselves.
        bias: nats by which finite votes make that entropy too small and every model's KL too large, estimated over
            stimuli with two votes or more (:func:`~affekt.humans.agreement.missing_entropy`); None without one.
            A model that knows what people choose in the long run has about ``cross_entropy + bias``; one with less has
            learnt these voters' own noise.
        brier: the Brier score of such a model, the mean of sum(s (1 - s)) / (n - 1) over stimuli with two votes or
            more; None likewise.
        stimuli: N.
        votes: mean number of votes of a stimulus.
    """

    cross_entropy: Estimate
    bias: float | None
    brier: float | None
    stimuli: int
    votes: float


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Confidence against people's agreement, in bins of (nearly) the same number of stimuli.

    Attributes:
        confidence: ``(bins,)`` mean of the largest probability, in ascending order.
        share: ``(bins,)`` mean share of people's votes for the category that has it.
        sizes: ``(bins,)`` stimuli.
        error: mean absolute gap of the two, weighted by size, in [0, 1] (adaptive bins, Nguyen & O'Connor 2015). Gaps
            do not cancel, so its draws lie above it: report its basic interval.
        bias: the error that a calibrated model would be given: the mean over 200 draws of votes from the model's own
            confidences (Vaicenavicius et al. 2019). An error near it says nothing against the model.
    """

    confidence: Floats
    share: Floats
    sizes: Ints
    error: Estimate
    bias: float


def vote_agreement(
    models: Mapping[str, ArrayLike], votes: ArrayLike, shared: Bootstrap
) -> tuple[dict[str, VoteAgreement], VoteCeiling]:
    """Each model's probabilities against people's votes, and the ceiling of all.

    Args:
        models: name -> ``(N, K)`` probabilities.
        votes: ``(N, K)`` whole numbers of votes.
        shared: the bootstrap of these N stimuli; each counts the same, however many votes it has.

    Raises:
        UsageError: no models, other shapes.
        DataError: votes or probabilities that cannot be: how many, and the first.
    """
    if not models:
        raise UsageError("vote_agreement: no models; a name and probabilities for each are asked")
    counts = checking.votes(votes, "votes", stimuli=shared.stimuli)
    n = counts.sum(axis=1, keepdims=True)
    shares = counts / n
    entropy = special.entr(shares).sum(axis=1)
    agreement = {}
    rows = {name: checking.probabilities(p, f"model {name}", shape=counts.shape) for name, p in models.items()}
    columns = [c for p in rows.values() for c in _scores(p, shares, entropy)]
    found = _means(np.stack([entropy, *columns], axis=1), shared)
    for m, (name, p) in enumerate(rows.items()):
        none = ((p == 0) & (shares > 0)).any(axis=1)
        why = f"{name} gives probability 0 to what people chose on {int(none.sum())} of {len(none)} stimuli"
        cross, kl, brier = (estimate(found[:, 1 + 3 * m + k], units=shared.units, reason=why) for k in range(3))
        agreement[name] = VoteAgreement(cross_entropy=cross, kl=kl, brier=brier)
    several = n[:, 0] > 1
    noise = (shares[several] * (1 - shares[several])).sum(axis=1) / (n[several, 0] - 1)
    ceiling = VoteCeiling(
        cross_entropy=estimate(found[:, 0], units=shared.units, reason=""),
        bias=float(missing_entropy(counts[several]).mean()) if several.any() else None,
        brier=float(noise.mean()) if several.any() else None,
        stimuli=shared.stimuli,
        votes=float(n.mean()),
    )
    return agreement, ceiling


def vote_calibration(probabilities: ArrayLike, votes: ArrayLike, shared: Bootstrap, *, bins: int = 15) -> Calibration:
    """Whether the share of people who choose a model's category is what the model's confidence says.

    Args:
        probabilities: ``(N, K)``.
        votes: ``(N, K)`` whole numbers of votes.
        shared: the bootstrap of these N stimuli; each stays in its bin.
        bins: at most; there are no more than stimuli.

    Raises:
        UsageError: other shapes, no bins.
        DataError: votes or probabilities that cannot be: how many, and the first.
    """
    if bins < 1:
        raise UsageError(f"vote_calibration: bins = {bins}; 1 or more are asked, such as 15")
    counts = checking.votes(votes, "votes", stimuli=shared.stimuli)
    p = checking.probabilities(probabilities, "probabilities", shape=counts.shape)
    chosen, n = p.argmax(axis=1), counts.sum(axis=1)
    confidence = p.max(axis=1)
    share = counts[np.arange(len(p)), chosen] / n
    parts = np.array_split(np.argsort(confidence, kind="stable"), min(bins, len(p)))
    member = np.zeros((len(p), len(parts)))
    for b, part in enumerate(parts):
        member[part, b] = 1.0
    sizes = member.sum(axis=0)

    def error(weights: Floats, gap: Floats) -> Floats:
        return np.asarray(np.abs(weights @ (member * gap[:, None])).sum(axis=1) / weights.sum(axis=1))

    rng, every = np.random.default_rng(shared.seed), np.ones((1, len(p)))
    drawn = (rng.binomial(n.astype(np.int64), confidence) for _ in range(200))
    bias = np.mean([error(every, confidence - d / n) for d in drawn])
    return Calibration(
        confidence=confidence @ member / sizes,
        share=share @ member / sizes,
        sizes=sizes.astype(np.int64),
        error=estimate(shared(lambda weights: error(weights, confidence - share)), units=shared.units, reason=""),
        bias=float(bias),
    )


def _scores(p: Floats, shares: Floats, entropy: Floats) -> tuple[Floats, Floats, Floats]:
    """``(N,)`` cross-entropy, KL and Brier score of each stimulus; infinite where p is 0 and s is not."""
    with np.errstate(divide="ignore"):
        logs = np.log(p)
    cross = -np.where(shares > 0, shares * np.where(shares > 0, logs, 0.0), 0.0).sum(axis=1)
    # Rounding alone can bring a perfect model below 0.
    return cross, np.maximum(cross - entropy, 0.0), np.square(p - shares).sum(axis=1)


def _means(columns: Floats, shared: Bootstrap) -> Floats:
    """``(1 + R, F)`` means over stimuli; NaN for a column with an infinite number, in every resample."""
    finite = np.isfinite(columns).all(axis=0)
    held = np.where(finite, columns, 0.0)

    def means(weights: Floats) -> Floats:
        return np.where(finite, weights @ held / weights.sum(axis=1, keepdims=True), np.nan)

    return shared(means)
