"""Agreement with ratings: against scipy on the drawn stimuli themselves, by hand, within bounds, covering."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, rating_agreement
from affekt.humans.agreement.correlating import pearson_pairs

PEOPLE = [1.0, 2.0, 3.0, 4.0, 5.0]
FIVE = bootstrap(5, resamples=40)


def expected(x, y):
    """By definition, with scipy where it has one."""
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return {
        "pearson": stats.pearsonr(x, y).statistic,
        "spearman": stats.spearmanr(x, y).statistic,
        "ccc": 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2),
        "rmse": ((x - y) ** 2).mean() ** 0.5,
        "mae": np.abs(x - y).mean(),
    }


def test_by_hand():
    """Twice as much: r is 1, while the distance 3 of the means and the larger spread cost concordance."""
    found = rating_agreement({"m": [2.0, 4.0, 6.0, 8.0, 10.0]}, PEOPLE, FIVE)["m"]
    assert found.pearson.value == pytest.approx(1) and found.spearman.value == pytest.approx(1)
    assert found.ccc.value == pytest.approx(2 * 4 / (8 + 2 + 9))
    assert found.rmse.value == pytest.approx(11**0.5)
    assert found.mae.value == pytest.approx(3)
    assert found.stimuli == 5


@pytest.mark.parametrize("rounded", [0, 6])
@pytest.mark.parametrize("groups", [None, np.arange(60) // 4])
def test_every_draw_is_the_measure_of_the_drawn_stimuli(rounded, groups):
    """With and without ties, single stimuli and groups."""
    rng = np.random.default_rng(rounded)
    people = (1000 + rng.normal(0, 2, 60)).round(rounded)
    models = {"close": (people + rng.normal(0, 1, 60)).round(rounded), "far": rng.normal(5, 3, 60).round(rounded)}
    shared = bootstrap(60, groups=groups, resamples=25)
    found = rating_agreement(models, people, shared)
    for name, numbers in models.items():
        for measure, value in expected(numbers, people).items():
            assert getattr(found[name], measure).value == pytest.approx(value, abs=1e-9)
        for draw, weights in enumerate(np.concatenate(list(shared.weights()))):
            times = weights.astype(int)
            for measure, value in expected(np.repeat(numbers, times), np.repeat(people, times)).items():
                assert getattr(found[name], measure).draws[draw] == pytest.approx(value, abs=1e-8)


numbers = arrays(np.float64, 12, elements=st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda x: round(x, 3)))


@given(numbers, numbers)
def test_bounds(x, y):
    found = rating_agreement({"m": x}, y, bootstrap(12, resamples=3))["m"]
    for measure in (found.pearson, found.spearman, found.ccc):
        for value in [measure.value, *measure.draws]:
            assert value is None or np.isnan(value) or -1 <= value <= 1 + 1e-12
    assert 0 <= found.mae.value <= found.rmse.value + 1e-9
    if found.pearson.value is not None:
        assert abs(found.ccc.value) <= abs(found.pearson.value) + 1e-9


def test_a_large_mean_costs_no_digits():
    people = np.array(PEOPLE)
    found = rating_agreement({"m": people[[0, 2, 1, 4, 3]] + 1e7}, people + 1e7, FIVE)["m"]
    assert found.pearson.value == pytest.approx(0.8, abs=1e-9)
    assert found.ccc.value == pytest.approx(0.8, abs=1e-9)


def test_constant_numbers_have_no_correlation_and_a_reason():
    found = rating_agreement({"net": [0.1] * 5}, PEOPLE, FIVE)["net"]
    for measure in (found.pearson, found.spearman):
        assert measure.value is None and measure.reason == "net has the same number for all 5 stimuli"
        assert np.isnan(measure.draws).all() and measure.interval() is None
    assert found.ccc.value == pytest.approx(0, abs=1e-12)
    assert found.rmse.value > 0
    both = rating_agreement({"net": [0.1] * 5}, [0.1] * 5, FIVE)["net"]
    assert both.pearson.reason == "net and people each have one number for all 5 stimuli"
    assert both.ccc.value is None and both.rmse.value == 0


def test_rounding_is_no_spread():
    """The mean of these equal numbers is not quite their value in floating point."""
    flat = np.full(3, 0.1)
    assert flat.std() > 0
    found = rating_agreement({"net": flat}, [1, 2, 4], bootstrap(3))["net"]
    assert found.pearson.value is None and found.spearman.value is None


def test_resamples_of_one_group_of_equal_stimuli_are_undefined_not_wrong():
    """Sizes whose moments leave a rounding error behind instead of a variance of 0."""
    groups = np.repeat([0, 1, 2], [7, 11, 23])
    shared = bootstrap(41, groups=groups, resamples=300)
    found = rating_agreement({"m": np.array([0.1, 0.7, 0.2])[groups]}, np.array([0.3, 0.9, 0.35])[groups], shared)["m"]
    weights = np.concatenate(list(shared.weights()))
    alone = (weights == 3).any(axis=1)
    assert found.pearson.undefined == alone.sum() > 0
    for measure in (found.pearson, found.spearman):
        np.testing.assert_array_equal(np.isnan(measure.draws), alone)


def test_pairs_of_columns_correlate_over_what_both_have():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 3)) + 100
    first[:5, 0] = second[3:9, 1] = np.nan
    second[:, 2] = 0.1
    found = pearson_pairs(np.ones((1, 40)), first, second)[0]
    assert found[0] == pytest.approx(stats.pearsonr(first[5:, 0], second[5:, 0]).statistic)
    kept = ~np.isnan(second[:, 1])
    assert found[1] == pytest.approx(stats.pearsonr(first[kept, 1], second[kept, 1]).statistic)
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("measure", "truth"), [("pearson", 0.8), ("ccc", 0.8), ("spearman", 6 / np.pi * np.arcsin(0.4))]
)
def test_intervals_cover(measure, truth):
    """300 sets of 150 stimuli from a normal distribution with equal means and spreads."""
    covered = 0
    for trial in range(300):
        rng = np.random.default_rng([5, trial])
        x, y = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=150).T
        found = rating_agreement({"m": x}, y, bootstrap(150, resamples=300, seed=trial))["m"]
        low, high = getattr(found, measure).interval()
        covered += low < truth < high
    assert 0.90 < covered / 300 < 0.99


@pytest.mark.parametrize(
    ("models", "people", "options", "error", "message"),
    [
        ({}, PEOPLE, {}, UsageError, "model: none given"),
        ({"m": [1.0]}, PEOPLE, {}, UsageError, r"model m: shape \(1,\); one number for each of the 5"),
        ({"m": PEOPLE}, [1, np.nan, 2, np.nan, 3], {}, DataError, "people: 2 of 5 not a fin.* nan at index 1"),
        ({"m": PEOPLE}, [1, 2, 8, 9, 7], {"scale": (1, 7)}, DataError, "2 of 5 .*scale of 1 to 7.* 8. at index 2"),
        ({"m": PEOPLE}, [0, 2, 2, 3, 7], {"scale": (1, 7)}, DataError, "1 of 5 outside"),
        ({"m": PEOPLE}, PEOPLE, {"scale": (7, 1)}, UsageError, "scale 7 to 1: the lower end"),
    ],
)  # fmt: skip
def test_ratings_that_cannot_be(models, people, options, error, message):
    with pytest.raises(error, match=message):
        rating_agreement(models, people, FIVE, **options)


def test_models_may_leave_the_scale():
    rating_agreement({"m": [0.0, 9.0, 3.0, 4.0, 5.0]}, PEOPLE, FIVE, scale=(1, 5))
