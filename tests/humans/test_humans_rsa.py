"""Representational similarity: against rsatoolbox, hand-computed cases, simulation; ceiling, bootstrap, bad input."""

import builtins

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

from affekt.errors import DataError, MissingExtra, UsageError
from affekt.humans.representations import category_rdm, compare_rdms, noise_ceiling, rating_rdm, rsa
from affekt.humans.representations.rsa import _correlations, _of_pairs, _Ranked
from affekt.randomness import generator

TOOLBOX = "rsatoolbox (extra humans) is not installed"


def people(count=5, stimuli=20, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=stimuli)
    return truth, np.stack([rating_rdm(truth + noise * rng.normal(size=stimuli)) for _ in range(count)])


def test_spearman_by_hand():
    """Ranks 1 2.5 2.5 and 1 2 3: covariance 1.5 over the root of 1.5 * 2."""
    assert compare_rdms([0, 1, 1], [1, 2, 3]) == pytest.approx(1.5 / 3**0.5)


def test_ties_count_as_in_scipy():
    rng = np.random.default_rng(0)
    one, two = rng.integers(4, size=(2, 45)).astype(float)
    assert compare_rdms(one, two) == pytest.approx(spearmanr(one, two).statistic)


@given(arrays(np.float64, (2, 10), elements=st.integers(0, 6)))
def test_similarity_is_symmetric_within_bounds_and_of_ranks(rdms):
    if (np.ptp(rdms, axis=1) == 0).any():
        return
    found = compare_rdms(*rdms)
    assert -1 <= found <= 1
    assert found == pytest.approx(compare_rdms(rdms[1], np.exp(rdms[0])), abs=1e-12)


@pytest.mark.parametrize("method", ["spearman", "rho-a", "tau-a", "corr_cov"])
def test_methods_are_rsatoolboxs(method):
    toolbox = pytest.importorskip("rsatoolbox", reason=TOOLBOX)
    one, two = people(2)[1]
    one = category_rdm(np.arange(20) % 3) + one.round()
    expected = toolbox.rdm.compare(toolbox.rdm.RDMs(one[None]), toolbox.rdm.RDMs(two[None]), method)[0, 0]
    assert compare_rdms(one, two, method=method) == pytest.approx(expected)


def test_a_method_of_rsatoolbox_without_it(monkeypatch):
    found = builtins.__import__

    def absent(name, *rest):
        if name.startswith("rsatoolbox"):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    assert compare_rdms([0, 1, 1], [1, 2, 3]) > 0
    with pytest.raises(MissingExtra, match=r"affekt\[humans\]"):
        compare_rdms([0, 1, 1], [1, 2, 3], method="tau-a")


def test_a_draw_is_that_of_rsatoolbox_with_pairs_of_the_same_stimulus_left_out():
    toolbox = pytest.importorskip("rsatoolbox", reason=TOOLBOX)
    rdms = people(3, stimuli=9)[1].round(1)
    drawn = np.array([0, 0, 0, 2, 3, 3, 5, 7, 8])
    sampled = toolbox.rdm.RDMs(rdms).subsample_pattern("index", drawn)
    expected = toolbox.rdm.compare(sampled.subset("index", [0]), sampled.subset("index", [1, 2]), "spearman")
    times = np.bincount(drawn, minlength=9).astype(float)
    rows, others = np.triu_indices(9, 1)
    weights = times[rows] * times[others]
    found = _correlations(_Ranked(rdms[:1]).ranks(weights), _Ranked(rdms[1:]).ranks(weights), weights)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_ranks_of_pairs_that_occur_several_times():
    rdm, weights = np.array([[3.0, 1, 1, 2, 5, 3]]), np.array([2.0, 1, 3, 0, 1, 1])
    found = _Ranked(rdm).ranks(weights)[0]
    np.testing.assert_allclose(np.repeat(found, weights.astype(int)), rankdata(np.repeat(rdm[0], weights.astype(int))))


def test_noise_ceiling_is_rsatoolboxs():
    toolbox = pytest.importorskip("rsatoolbox", reason=TOOLBOX)
    from rsatoolbox.inference import boot_noise_ceiling

    rdms = people()[1].round(1)
    found = noise_ceiling(rdms)
    expected = boot_noise_ceiling(toolbox.rdm.RDMs(rdms), method="spearman")
    np.testing.assert_allclose([found.lower, found.upper], expected, atol=1e-12)


def test_noise_ceiling_by_hand():
    """Two people: each is held against the other, and against the mean ranks of both."""
    one, two = [1.0, 2, 3], [1.0, 3, 2]
    found = noise_ceiling([one, two])
    assert found.lower == pytest.approx(0.5)
    assert found.upper == pytest.approx(3**0.5 / 2)  # ranks 1 2 3 with 1 2.5 2.5


def test_the_truth_reaches_the_ceiling_and_others_do_not():
    truth, rdms = people(12, stimuli=60)
    found = rsa([rating_rdm(truth), rating_rdm(np.random.default_rng(9).normal(size=60))], rdms, draws=1)
    assert found.ceiling.lower < found.score[0] < found.ceiling.upper
    assert found.score[1] < 0.2 < found.ceiling.lower


def test_score_is_the_mean_over_people():
    truth, rdms = people()
    found = rsa(rating_rdm(truth), rdms, draws=3)
    assert found.score[0] == pytest.approx(np.mean([compare_rdms(rating_rdm(truth), own) for own in rdms]))
    assert (found.stimuli, found.people, found.resampled) == (20, 5, ("stimuli", "people"))
    assert found.draws.shape == (3, 1)


def test_draws_follow_the_seed_and_are_shared_by_models():
    truth, rdms = people()
    one = rating_rdm(truth)
    found = rsa([one, one], rdms, draws=20, seed=3)
    np.testing.assert_array_equal(found.draws[:, 0], found.draws[:, 1])
    np.testing.assert_allclose(found.draws[:, :1], rsa(one, rdms, draws=20, seed=3).draws, atol=1e-14)
    assert not np.allclose(found.draws[:, :1], rsa(one, rdms, draws=20, seed=4).draws, atol=1e-3)


def test_a_draw_written_out():
    """The drawn stimuli as they are, pairs of the same one left out, scipy's correlation of the rest."""
    truth, (rdm, *_) = people(1, stimuli=8)
    one = rating_rdm(truth)
    drawn = generator("rsa", 5).integers(8, size=8)
    rows, others = np.triu_indices(8, 1)
    kept = drawn[rows] != drawn[others]
    pairs = [squareform(table)[drawn[rows], drawn[others]][kept] for table in (one, rdm)]
    assert rsa(one, rdm, draws=1, seed=5).draws[0, 0] == pytest.approx(spearmanr(*pairs).statistic)


def test_pairs_of_groups_by_hand():
    """Two groups of two, drawn three times and once: within a group as often as it is drawn, across by the product."""
    found = _of_pairs(np.array([0, 0, 1, 1]), np.array([3.0, 1.0]))
    assert found.tolist() == [3, 3, 3, 3, 3, 1]


def test_a_draw_of_groups_written_out():
    """The drawn copies of groups as they are, pairs of two copies of one group left out."""
    truth, (rdm, *_) = people(1, stimuli=10)
    one, unit = rating_rdm(truth), np.array([2, 2, 0, 0, 1, 1, 3, 3, 4, 4])
    drawn = generator("rsa", 5).integers(5, size=5)
    rows = np.concatenate([np.flatnonzero(unit == group) for group in drawn])
    copy = np.repeat(np.arange(5), 2)
    i, j = np.triu_indices(10, 1)
    kept = (copy[i] == copy[j]) | (drawn[copy[i]] != drawn[copy[j]])
    pairs = [squareform(table)[rows[i], rows[j]][kept] for table in (one, rdm)]
    found = rsa(one, rdm, draws=1, groups=unit.astype(str), seed=5)
    assert found.draws[0, 0] == pytest.approx(spearmanr(*pairs).statistic)
    assert len(set(drawn)) < 5 and (found.stimuli, found.units) == (10, 5)


def test_groups_of_one_are_single_stimuli():
    truth, rdms = people()
    found = [rsa(rating_rdm(truth), rdms, draws=5, groups=groups).draws for groups in (None, np.arange(20))]
    np.testing.assert_array_equal(*found)


def test_groups_that_are_alike_are_fewer_than_their_stimuli():
    """Four copies of each of 12 stimuli say no more than 12: single draws of 48 take them for more."""
    rng = np.random.default_rng(2)
    alike = np.repeat(rng.normal(size=(2, 12)), 4, axis=1) + 0.01 * rng.normal(size=(2, 48))
    one, two = rating_rdm(alike[0]), rating_rdm(alike[0] + alike[1])
    single, grouped = (rsa(one, two, draws=200, groups=g).draws.std() for g in (None, np.repeat(np.arange(12), 4)))
    assert grouped > 1.5 * single


def test_the_score_and_spread_over_stimuli_and_people_are_rsatoolboxs():
    toolbox = pytest.importorskip("rsatoolbox", reason=TOOLBOX)
    truth, rdms = people(6, stimuli=15)
    model = toolbox.model.ModelFixed("m", rating_rdm(truth))
    np.random.seed(0)
    expected = toolbox.inference.eval_bootstrap(
        model, toolbox.rdm.RDMs(rdms), method="spearman", N=300, boot_noise_ceil=False
    )
    found = rsa(rating_rdm(truth), rdms, draws=600)
    fixed = toolbox.inference.eval_fixed(model, toolbox.rdm.RDMs(rdms), method="spearman")
    assert found.score[0] == pytest.approx(np.mean(fixed.evaluations))
    np.testing.assert_allclose([found.ceiling.lower, found.ceiling.upper], fixed.noise_ceiling, atol=1e-12)
    assert found.draws.std() == pytest.approx(np.nanstd(expected.evaluations), rel=0.25)


def test_people_alone_are_drawn_as_their_scores():
    """The spread of the mean over drawn people is the standard error of their scores."""
    truth, rdms = people(8)
    own = [compare_rdms(rating_rdm(truth), rdm) for rdm in rdms]
    found = rsa(rating_rdm(truth), rdms, draws=2000, resampled=("people",))
    assert found.draws.std() == pytest.approx(np.std(own) / 8**0.5, rel=0.1)


def test_interval_covers_the_correlation_of_all_stimuli():
    """Of 40 samples of 30 of 600 stimuli, the 95 % interval holds the correlation over all 600 in about 38."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=600)
    two = one + rng.normal(size=600)
    truth = compare_rdms(rating_rdm(one), rating_rdm(two))
    held = 0
    for sample in range(40):
        chosen = rng.choice(600, 30, replace=False)
        found = rsa(rating_rdm(one[chosen]), rating_rdm(two[chosen]), draws=150, seed=sample)
        low, high = found.interval()[0]
        held += low <= truth <= high
    assert 33 <= held <= 40


def test_undefined_draws_are_counted_and_left_out():
    """Three stimuli, one of another category: a draw without it, or of one stimulus only, has nothing to correlate."""
    found = rsa(category_rdm([0, 0, 1]), [1.0, 2, 3], draws=200)
    assert 0 < found.undefined < 200
    assert np.isfinite(found.interval()).all()


GOOD = [1.0, 2, 3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: compare_rdms(GOOD, GOOD, method="pearson"), UsageError, 'comparison of RDMs "pearson": unknown'),
        (lambda: compare_rdms(GOOD, np.arange(6)), DataError, "of 3 and of 4 stimuli"),
        (lambda: compare_rdms(GOOD, [GOOD, GOOD]), DataError, "one RDM each"),
        (lambda: compare_rdms([1, 1, 1], GOOD), DataError, "RDM 0 has the same dissimilarity for all pairs"),
        (lambda: compare_rdms([1, np.nan, 1], GOOD), DataError, "1 dissimilarities are not finite"),
        (lambda: compare_rdms([1], [2]), DataError, "one pair"),
        (lambda: compare_rdms(np.eye(4), np.eye(4)), DataError, "squareform"),
        (lambda: noise_ceiling(GOOD), DataError, "two or more single people"),
        (lambda: noise_ceiling([GOOD, GOOD, GOOD[::-1]]), DataError, "mean ranks of the others are all equal"),
        (lambda: rsa(GOOD, GOOD, resampled=("people",)), DataError, "the RDM of each person"),
        (lambda: rsa(GOOD, GOOD, resampled=()), UsageError, "of nothing"),
        (lambda: rsa(GOOD, GOOD, resampled=("raters",)), UsageError, 'resampled "raters": unknown'),
        (lambda: rsa(GOOD, GOOD, groups=["a"] * 3), UsageError, "all 3 stimuli are of one group"),
        (lambda: rsa(GOOD, GOOD, groups=["a"]), UsageError, "one for each is asked"),
        (lambda: rsa(GOOD, GOOD, draws=0), UsageError, "draws = 0"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
