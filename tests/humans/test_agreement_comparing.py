"""Paired comparison of models: by hand, against the paired t test, its size and coverage by simulation."""

import numpy as np
import pytest
from scipy import stats

from affekt.errors import UsageError
from affekt.humans.agreement import Estimate, bootstrap, compare_models, rating_agreement
from affekt.humans.agreement.estimate import estimate
from affekt.multiplicity import holm


def means(columns, shared):
    found = shared(lambda w: w @ columns / w.sum(axis=1, keepdims=True))
    return {f"m{k}": estimate(found[:, k], units=shared.units, reason="") for k in range(columns.shape[1])}


def test_means_are_compared_as_by_the_paired_t_test():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(12, 1)) * 5 + rng.normal(size=(12, 2)) + [0.8, 0.0]
    (found,) = compare_models(means(columns, bootstrap(12, resamples=100_000)))
    expected = stats.ttest_rel(*columns.T)
    low, high = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=0.02)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)
    assert found.value == pytest.approx(columns[:, 0].mean() - columns[:, 1].mean())
    (narrow,) = compare_models(means(columns, bootstrap(12, resamples=100_000)), level=0.5)
    assert (narrow.low, narrow.high) == pytest.approx(tuple(expected.confidence_interval(0.5)), abs=0.01)


def test_all_pairs_in_order_or_those_that_were_asked():
    estimates = means(np.random.default_rng(0).normal(size=(30, 3)), bootstrap(30))
    assert [(d.first, d.second) for d in compare_models(estimates)] == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    (one,) = compare_models(estimates, [("m2", "m0")])
    (_, turned, _) = compare_models(estimates)
    assert one.value == pytest.approx(-turned.value)
    assert (one.low, one.p, one.p_holm) == pytest.approx((-turned.high, turned.p, turned.p))


def test_holm_is_over_all_pairs_and_undefined_ones_count():
    rng = np.random.default_rng(1)
    estimates = means(rng.normal([0, 0.5, 0.9], size=(40, 3)), bootstrap(40))
    found = compare_models(estimates)
    assert [d.p_holm for d in found] == pytest.approx(holm([d.p for d in found]))
    estimates["none"] = Estimate(value=None, reason="constant", draws=np.full(1000, np.nan), units=40)
    more = compare_models(estimates)
    kept = [d for d in more if d.p is not None]
    assert len(more) == 6 and [(d.first, d.second) for d in kept] == [(d.first, d.second) for d in found]
    smallest = min(kept, key=lambda d: d.p)
    assert smallest.p_holm == pytest.approx(min(1, 6 * smallest.p))


def test_undefined_measures_are_said():
    defined = Estimate(value=0.5, reason="", draws=np.linspace(0, 1, 10), units=9)
    constant = Estimate(value=None, reason="all the same", draws=np.full(10, np.nan), units=9)
    patchy = Estimate(value=0.2, reason="", draws=np.r_[np.full(6, np.nan), 0.1, 0.2, 0.3, 0.4], units=9)
    a, b, _ = compare_models({"a": defined, "b": constant, "c": patchy})
    assert (a.value, a.low, a.p, a.p_holm) == (None, None, None, None)
    assert a.reason == "b: all the same"
    assert b.reason == "undefined in 6 of 10 resamples" and b.undefined == 6 and b.p is None


def test_a_difference_that_never_varies_is_no_surer_than_its_signs():
    """One model right and the other wrong on all of five stimuli: p of a sign test, 2 / 2^5."""
    columns = np.stack([np.ones(5), np.zeros(5)], axis=1)
    (found,) = compare_models(means(columns, bootstrap(5)))
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    assert found.p == 0.0625
    (same,) = compare_models(means(columns[:, [0, 0]], bootstrap(5)))
    assert (same.value, same.p) == (0, 1)


@pytest.mark.parametrize("r", [0.5, 0.9])
def test_size_and_coverage_for_correlations(r):
    """300 sets of 120 stimuli; two models, each correlating r with people, so that the true difference is 0."""
    noise, rejected, covered = (1 / r**2 - 1) ** 0.5, 0, 0
    for trial in range(300):
        rng = np.random.default_rng([9, trial])
        people = rng.normal(size=120)
        models = {name: people + noise * rng.normal(size=120) for name in "ab"}
        agreement = rating_agreement(models, people, bootstrap(120, resamples=300, seed=trial))
        (found,) = compare_models({name: a.pearson for name, a in agreement.items()})
        rejected += found.p < 0.05
        covered += found.low < 0 < found.high
    assert covered == 300 - rejected
    assert 0.01 < rejected / 300 < 0.09


def test_a_real_difference_is_found():
    rng = np.random.default_rng(0)
    people = rng.normal(size=300)
    models = {"near": people + rng.normal(size=300) * 0.5, "far": people + rng.normal(size=300) * 1.5}
    agreement = rating_agreement(models, people, bootstrap(300))
    (found,) = compare_models({name: a.ccc for name, a in agreement.items()})
    assert found.p < 1e-6 and found.low > 0.2


def test_what_cannot_be_compared():
    estimates = means(np.random.default_rng(0).normal(size=(30, 2)), bootstrap(30))
    other = means(np.ones((30, 1)), bootstrap(30, resamples=10))["m0"]
    for pairs, message in (
        ([("m0", "m3")], 'model "m3": unknown. Nearest: m'),
        ([("m0", "m0")], "m0 against itself"),
    ):
        with pytest.raises(UsageError, match=message):
            compare_models(estimates, pairs)
    with pytest.raises(UsageError, match="m0 and other: estimates from different bootstraps"):
        compare_models({"m0": estimates["m0"], "other": other})
    with pytest.raises(UsageError, match="level = 95"):
        compare_models(estimates, level=95)
