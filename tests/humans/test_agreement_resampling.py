"""Bootstrap over stimuli: what is drawn, that all share it, and the intervals made from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import UsageError
from affekt.humans.agreement import Estimate, bootstrap
from affekt.humans.agreement.estimate import estimate


def all_weights(shared, width=0):
    return np.concatenate(list(shared.weights(width)))


@given(st.integers(2, 40), st.integers(1, 30), st.integers(0, 5))
def test_each_resample_draws_as_many_as_there_are(stimuli, resamples, seed):
    weights = all_weights(bootstrap(stimuli, resamples=resamples, seed=seed))
    assert weights.shape == (resamples, stimuli)
    assert (weights.sum(axis=1) == stimuli).all()


def test_weights_have_the_moments_of_a_multinomial():
    weights = all_weights(bootstrap(20, resamples=20_000))
    assert weights.mean(axis=0) == pytest.approx(np.ones(20), abs=0.04)
    covariance = np.cov(weights.T)
    assert np.diag(covariance) == pytest.approx(np.full(20, 0.95), abs=0.06)
    assert covariance[~np.eye(20, dtype=bool)].mean() == pytest.approx(-0.05, abs=0.005)


def test_draws_are_the_same_each_time_for_any_width_and_others_with_another_seed():
    shared = bootstrap(50, resamples=30)
    np.testing.assert_array_equal(all_weights(shared), all_weights(shared, width=500_000))
    assert len(list(shared.weights(500_000))) == 8
    assert (all_weights(shared) != all_weights(bootstrap(50, resamples=30, seed=1))).any()


def test_groups_are_drawn_whole():
    groups = np.array(["b", "a", "b", "c", "c", "c"])
    weights = all_weights(bootstrap(6, groups=groups, resamples=200))
    for name in "abc":
        of = weights[:, groups == name]
        assert (of == of[:, :1]).all()
    assert (weights[:, 1] + weights[:, 0] + weights[:, 3] == 3).all()
    assert len(set(weights.sum(axis=1))) > 1


def test_groups_of_one_are_single_stimuli_in_any_order():
    names = ["d", "a", "c", "b"]
    whole, single = all_weights(bootstrap(4, groups=names, resamples=9)), all_weights(bootstrap(4, resamples=9))
    np.testing.assert_array_equal(whole, single[:, np.argsort(np.argsort(names))])


def test_a_statistic_is_of_the_stimuli_as_they_are_and_then_of_each_resample():
    shared, values = bootstrap(30, resamples=70), np.arange(30.0)
    found = shared(lambda weights: weights @ values)
    assert found[0] == values.sum()
    np.testing.assert_allclose(found[1:], all_weights(shared) @ values)


@pytest.mark.parametrize(
    ("stimuli", "options", "message"),
    [
        (1, {}, "1 stimuli; nothing follows"),
        (0, {}, "0 stimuli"),
        (3, {"groups": ["x"] * 3}, "1 groups of stimuli"),
        (3, {"groups": ["x"]}, r"groups of shape \(1,\) for 3 stimuli"),
        (3, {"resamples": 0}, "resamples = 0; 1 or more"),
    ],
)
def test_what_cannot_be_drawn(stimuli, options, message):
    with pytest.raises(UsageError, match=message):
        bootstrap(stimuli, **options)


# ------------------------------------------------------------------------------------------------ intervals


def of(draws, value=0.5, units=100):
    return Estimate(value=value, reason="", draws=np.asarray(draws, dtype=float), units=units)


def test_intervals_by_hand():
    found = of(np.linspace(0, 1, 101), value=0.6)
    assert found.interval(0.9) == pytest.approx((0.05, 0.95))
    assert found.basic_interval(0.9) == pytest.approx((0.25, 1.15))


def test_the_standard_error_is_widened_for_few_units():
    draws = [0.0, 1.0, 2.0]
    assert of(draws, units=5).standard_error == pytest.approx((5 / 4) ** 0.5)


def test_undefined_resamples_are_counted_and_left_out():
    found = of([0.0, np.nan, 1.0, 0.5])
    assert found.undefined == 1
    assert found.interval(0.5) == pytest.approx((0.25, 0.75))
    assert of([np.nan, np.nan, 1.0, 0.5]).interval() is not None
    assert of([np.nan, np.nan, np.nan, 0.5, 0.6]).interval() is None
    assert of([0.5, np.nan]).standard_error is None


def test_without_a_value_there_is_a_reason_and_no_interval():
    found = estimate(np.array([np.nan, 1.0, 2.0]), units=2, reason="all the same")
    assert (found.value, found.reason) == (None, "all the same")
    assert found.interval() is found.basic_interval() is found.standard_error is None
    assert estimate(np.array([3.0, 1.0]), units=2, reason="all the same").reason == ""


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_levels_that_cannot_be(level):
    with pytest.raises(UsageError, match="between 0 and 1"):
        of([0.0, 1.0]).interval(level)


def test_intervals_of_groups_cover_where_those_of_single_stimuli_do_not():
    """300 sets of 30 groups of five stimuli that resemble each other; the truth is a mean of 0."""
    groups, covered = np.repeat(np.arange(30), 5), np.zeros(2)
    for trial in range(300):
        rng = np.random.default_rng([7, trial])
        values = np.repeat(rng.normal(size=30), 5) + 0.3 * rng.normal(size=150)
        for k, options in enumerate(({"groups": groups}, {})):
            shared = bootstrap(150, resamples=300, seed=trial, **options)
            found = shared(lambda w, v=values: w @ v / w.sum(axis=1))
            low, high = estimate(found, units=shared.units, reason="").interval()
            covered[k] += low < 0 < high
    assert covered[0] / 300 > 0.90
    assert covered[1] / 300 < 0.75
