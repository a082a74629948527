"""Probabilities against votes: by hand, against scipy and torchmetrics, and what finite votes cost by simulation."""

import numpy as np
import pytest
import torch
from scipy import stats
from torchmetrics.functional.classification import binary_calibration_error

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, missing_entropy, vote_agreement, vote_calibration

VOTES = np.array([[8, 2, 0], [5, 5, 0], [0, 0, 10]])
P = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
THREE = bootstrap(3, resamples=30)


def test_by_hand():
    found, ceiling = vote_agreement({"m": P}, VOTES, THREE)
    log2 = np.log(2)
    cross = (0.8 + 0.2 * 2 + 0.5 + 0.5 * 2 + 1) / 3 * log2
    assert found["m"].cross_entropy.value == pytest.approx(cross)
    best = (-0.8 * np.log(0.8) - 0.2 * np.log(0.2) + log2) / 3
    assert ceiling.cross_entropy.value == pytest.approx(best)
    assert found["m"].kl.value == pytest.approx(cross - best)
    brier = (0.09 + 0.0025 + 0.0625 + 0 + 0.0625 + 0.0625 + 0.0625 + 0.0625 + 0.25) / 3
    assert found["m"].brier.value == pytest.approx(brier)
    assert ceiling.bias == pytest.approx(missing_entropy(VOTES).mean())
    assert ceiling.brier == pytest.approx((0.32 + 0.5 + 0) / 9 / 3)
    assert (ceiling.stimuli, ceiling.votes) == (3, 10)


def test_every_draw_is_of_the_drawn_stimuli():
    rng = np.random.default_rng(0)
    votes, p = rng.integers(1, 9, (20, 4)), rng.dirichlet(np.ones(4), 20)
    shared = bootstrap(20, resamples=15)
    found, ceiling = vote_agreement({"first": np.full((20, 4), 0.25), "m": p}, votes, shared)
    shares = votes / votes.sum(axis=1, keepdims=True)
    for draw, weights in enumerate(np.concatenate(list(shared.weights()))):
        s, q = (np.repeat(x, weights.astype(int), axis=0) for x in (shares, p))
        assert found["m"].kl.draws[draw] == pytest.approx(stats.entropy(s, q, axis=1).mean())
        assert ceiling.cross_entropy.draws[draw] == pytest.approx(stats.entropy(s, axis=1).mean())
        total = found["m"].kl.draws[draw] + ceiling.cross_entropy.draws[draw]
        assert found["m"].cross_entropy.draws[draw] == pytest.approx(total)
        assert found["m"].brier.draws[draw] == pytest.approx(((s - q) ** 2).sum(axis=1).mean())


def test_the_shares_themselves_are_the_best_there_is():
    votes = np.random.default_rng(1).integers(1, 9, (50, 4))
    shares = votes / votes.sum(axis=1, keepdims=True)
    found, ceiling = vote_agreement({"m": shares, "near": 0.9 * shares + 0.025}, votes, bootstrap(50))
    assert found["m"].cross_entropy.value == pytest.approx(ceiling.cross_entropy.value)
    assert found["m"].kl.value == pytest.approx(0, abs=1e-12) and found["m"].brier.value == pytest.approx(0)
    assert (found["near"].kl.draws > 0).all()


def test_the_model_that_knows_the_long_run_pays_for_finite_votes():
    """4,000 stimuli with ten votes each: what it has is the ceiling, with its bias, for all three scores."""
    rng = np.random.default_rng(2)
    truth = rng.dirichlet(np.full(4, 2.0), 4000)
    found, ceiling = vote_agreement({"truth": truth}, rng.multinomial(10, truth), bootstrap(4000, resamples=2))
    assert found["truth"].kl.value == pytest.approx(ceiling.bias, rel=0.1)
    assert found["truth"].cross_entropy.value == pytest.approx(ceiling.cross_entropy.value + ceiling.bias, rel=0.02)
    assert found["truth"].brier.value == pytest.approx(ceiling.brier, rel=0.05)


def test_single_votes_leave_the_brier_score_of_the_best_unknown():
    one = vote_agreement({"m": P}, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], THREE)[1]
    assert one.brier is None and one.bias is None
    some = vote_agreement({"m": P}, [[1, 0, 0], [1, 1, 0], [0, 0, 1]], THREE)[1]
    assert some.brier == pytest.approx(0.5) and some.bias == pytest.approx(np.log(2))


def test_no_probability_for_what_people_chose_is_said():
    sure = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])
    found = vote_agreement({"sure": sure, "m": P}, VOTES, THREE)[0]
    assert found["sure"].cross_entropy.value is None and found["sure"].kl.value is None
    assert found["sure"].kl.reason == "sure gives probability 0 to what people chose on 1 of 3 stimuli"
    assert found["sure"].brier.value == pytest.approx(0.08 / 3)
    assert found["m"].kl.value is not None


# ------------------------------------------------------------------------------------------------ calibration


def test_bins_by_hand():
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7]])
    votes = [[8, 2], [5, 5], [10, 0], [1, 9]]
    found = vote_calibration(p, votes, bootstrap(4), bins=2)
    assert found.confidence == pytest.approx([0.65, 0.85])
    assert found.share == pytest.approx([0.7, 0.9])
    assert found.sizes.tolist() == [2, 2]
    assert found.error.value == pytest.approx(0.05)
    assert len(vote_calibration(p, votes, bootstrap(4)).sizes) == 4


def test_single_votes_give_torchmetrics_error_on_evenly_filled_bins():
    """Two levels of confidence, half of the stimuli each: adaptive bins are then torchmetrics' even ones."""
    rng = np.random.default_rng(0)
    p = np.where(np.arange(200) < 100, 0.6, 0.9)
    right = rng.random(200) < 0.7
    found = vote_calibration(np.stack([p, 1 - p], 1), np.stack([right, ~right], 1), bootstrap(200), bins=2)
    expected = binary_calibration_error(torch.tensor(p), torch.tensor(right).int(), n_bins=10)
    assert found.error.value == pytest.approx(float(expected), abs=1e-6)


def test_a_calibrated_model_has_an_error_like_its_bias_and_a_bold_one_more():
    rng = np.random.default_rng(3)
    truth = rng.dirichlet(np.ones(3), 2000)
    votes, shared = rng.multinomial(5, truth), bootstrap(2000, resamples=50)
    fair = vote_calibration(truth, votes, shared)
    assert fair.error.value == pytest.approx(fair.bias, abs=0.006) and fair.bias > 0
    bold = vote_calibration(truth**3 / (truth**3).sum(axis=1, keepdims=True), votes, shared)
    assert bold.error.value > 0.1 > bold.bias
    low, high = bold.error.interval()
    assert low < bold.error.value < high


def test_more_votes_leave_less_bias():
    rng = np.random.default_rng(4)
    truth, shared = rng.dirichlet(np.ones(3), 300), bootstrap(300, resamples=2)
    few, many = (vote_calibration(truth, rng.multinomial(n, truth), shared).bias for n in (2, 50))
    assert many == pytest.approx(few / 5, rel=0.2)


def test_each_draw_keeps_its_bins():
    rng = np.random.default_rng(5)
    p, votes, shared = rng.dirichlet(np.ones(3), 12), rng.integers(1, 5, (12, 3)), bootstrap(12, resamples=10)
    found = vote_calibration(p, votes, shared, bins=3)
    order, gap = np.argsort(p.max(1)), p.max(1) - (votes / votes.sum(1, keepdims=True))[np.arange(12), p.argmax(1)]
    for draw, weights in enumerate(np.concatenate(list(shared.weights()))):
        expected = sum(abs((weights * gap)[part].sum()) for part in np.split(order, 3)) / 12
        assert found.error.draws[draw] == pytest.approx(expected)


def test_what_cannot_be():
    with pytest.raises(UsageError, match="bins = 0"):
        vote_calibration(P, VOTES, THREE, bins=0)
    with pytest.raises(UsageError, match="no models"):
        vote_agreement({}, VOTES, THREE)
    with pytest.raises(DataError, match="probabilities: 3 of 3 no distribution"):
        vote_calibration(np.log(P), VOTES, THREE)
    with pytest.raises(DataError, match="votes: 1 of 3 without a single vote"):
        vote_agreement({"m": P}, [[1, 0, 0], [0, 0, 0], [1, 1, 1]], THREE)
    with pytest.raises(DataError, match="votes: 3 of 3 no whole numbers; votes are asked, not their shares"):
        vote_agreement({"m": P}, P, THREE)
    with pytest.raises(UsageError, match=r"votes: shape \(2, 3\)"):
        vote_agreement({"m": P}, VOTES[:2], THREE)
