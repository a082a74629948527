"""Psychometric curves: against psignifit, known curves recovered, fits that cannot be, bad input."""

import builtins

import numpy as np
import pytest
from scipy.stats import norm

from affekt.errors import DataError, MissingExtra, UsageError
from affekt.humans.psychophysics import count_levels, psychometric
from affekt.humans.psychophysics.curve import goodness

REASON = "psignifit (extra humans) is not installed"
LEVELS = np.linspace(0, 1, 8)
SIGMA = 1 / (norm.ppf(0.95) - norm.ppf(0.05))


def psi(levels, threshold=0.45, width=0.5, lapse=0.03, guess=0.03):
    return guess + (1 - lapse - guess) * norm.cdf((levels - threshold) / (width * SIGMA))


def counts(trials=60, seed=0, **curve):
    return np.random.default_rng(seed).binomial(trials, psi(LEVELS, **curve)), np.full(len(LEVELS), trials)


def fit(*table, **options):
    pytest.importorskip("psignifit", reason=REASON)
    return psychometric(*table, **{"guess": "lapse", "overdispersed": False, **options})


def test_estimates_are_psignifits_and_intervals_are_within_a_step_of_its_grid():
    reference = pytest.importorskip("psignifit", reason=REASON)
    k, n = counts()
    found = fit(LEVELS, k, n)
    other = reference.psignifit(
        np.column_stack([LEVELS, k, n]),
        experiment_type="equal asymptote",
        fixed_parameters={"eta": 0.0},
        verbose=False,
    )
    for name, own in (("threshold", found.threshold), ("width", found.width), ("lambda", found.lapse)):
        assert own.value == pytest.approx(other.parameter_estimate_MAP[name], rel=1e-3)
        step = np.diff(other.parameter_values[name][:2])[0]
        np.testing.assert_allclose((own.low, own.high), other.confidence_intervals[name]["0.95"], atol=1.01 * step)
    assert found.slope.value == pytest.approx(other.slope(found.threshold.value), rel=1e-3)
    np.testing.assert_allclose(found.curve(LEVELS), other.proportion_correct(LEVELS), atol=1e-3)


def test_what_is_said_of_a_morph():
    k, n = counts()
    found = fit(LEVELS, k, n)
    assert (found.converged, found.reason, found.levels, found.trials) == (True, "", 8, 480)
    equal = (found.threshold.value, found.threshold.low, found.threshold.high)
    assert (found.pse.value, found.pse.low, found.pse.high) == pytest.approx(equal)  # equal asymptotes
    assert found.guess == found.lapse
    assert found.curve(found.pse.value) == pytest.approx(0.5)
    step = 1e-4
    rise = np.diff(found.curve([found.threshold.value - step, found.threshold.value + step]))[0]
    assert found.slope.value == pytest.approx(rise / (2 * step), rel=1e-4)
    for own in (found.threshold, found.width, found.slope, found.lapse):
        assert own.low <= own.value <= own.high
    assert found.overdispersion is None


def test_logistic_curves_have_the_width_they_say():
    k, n = counts()
    found = fit(LEVELS, k, n, sigmoid="logistic")
    ends = found.curve(found.threshold.value + np.array([-0.5, 0.5]) * found.width.value)
    share = (ends - found.guess.value) / (1 - found.lapse.value - found.guess.value)
    np.testing.assert_allclose(share, [0.05, 0.95], atol=1e-9)


def test_a_falling_curve_is_the_rising_one_mirrored():
    k, n = counts()
    up, down = fit(LEVELS, k, n), fit(-LEVELS, k, n, direction="falling")
    assert down.threshold.value == pytest.approx(-up.threshold.value)
    assert (down.threshold.low, down.threshold.high) == pytest.approx((-up.threshold.high, -up.threshold.low))
    assert down.slope.value == pytest.approx(-up.slope.value)
    np.testing.assert_allclose(down.curve(-LEVELS), up.curve(LEVELS))


def test_a_guess_rate_that_is_known():
    k, n = counts(guess=0.25, trials=100)
    found = fit(LEVELS, k, n, guess=0.25)
    assert (found.guess.low, found.guess.value, found.guess.high) == (0.25, 0.25, 0.25)
    assert found.pse is None
    assert found.threshold.low < 0.45 < found.threshold.high


def test_free_asymptotes_and_a_pse_that_is_not_the_threshold():
    k, n = counts(guess=0.3, lapse=0.02, trials=400)
    found = fit(LEVELS, k, n, guess="free")
    assert found.guess.value == pytest.approx(0.3, abs=0.05)
    assert found.curve(found.pse.value) == pytest.approx(0.5)
    assert found.pse.value < found.threshold.value - 0.02
    assert found.pse.low < found.pse.value < found.pse.high


def test_overdispersed_responses_have_wider_intervals():
    rng = np.random.default_rng(1)
    share = psi(LEVELS)
    k = rng.binomial(60, rng.beta(8 * share, 8 * (1 - share)))
    plain, wide = (fit(LEVELS, k, np.full(8, 60), overdispersed=flag) for flag in (False, True))
    assert wide.overdispersion.low > 0
    assert wide.threshold.high - wide.threshold.low > 1.5 * (plain.threshold.high - plain.threshold.low)
    assert wide.deviance_p < 0.01


def test_known_curves_are_recovered_about_as_often_as_stated():
    """Of 14 tables, 80 % intervals hold the truth in 11 in the mean: in 7 or more, and not all three in all."""
    held = np.zeros(3)
    for seed in range(14):
        found = fit(LEVELS, *counts(seed=seed), confidence=0.8)
        slope = (1 - 0.06) * norm.pdf(0) / (0.5 * SIGMA)
        pairs = ((found.threshold, 0.45), (found.width, 0.5), (found.slope, slope))
        held += [own.low <= truth <= own.high for own, truth in pairs]
    assert (held >= 7).all()
    assert held.sum() < 42


def test_deviance_by_hand():
    """5 of 10 where 0.5 is expected is no deviation; 10 of 10 where 0.5 is: 2 * 10 ln 2."""
    halves = np.array([0.5, 0.5])
    found, p = goodness(halves, np.array([5.0, 10]), np.array([10.0, 10]), np.random.default_rng(0))
    assert found == pytest.approx(20 * np.log(2))
    assert p < 0.02
    assert goodness(halves, np.array([5.0, 5]), np.array([10.0, 10]), np.random.default_rng(0)) == (0, 1)


def test_levels_are_pooled_and_those_without_trials_left_out():
    k, n = counts()
    found = fit(np.r_[LEVELS, LEVELS, 5], np.r_[k, k, 0], np.r_[n, n, 0])
    assert (found.levels, found.trials) == (8, 960)
    assert found.threshold == fit(LEVELS, 2 * k, 2 * n).threshold


def test_trials_are_counted():
    x, k, n = count_levels([0.5, 0.1, 0.5, 0.5], [True, False, False, True])
    np.testing.assert_array_equal([x, k, n], [[0.1, 0.5], [0, 2], [1, 3]])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (([0, 1], [1, 9], [10, 10]), "2 levels with trials"),
        (([0, 0.5, 1], [1, 5, 0], [10, 10, 0]), "2 levels with trials"),
        (([], [], []), "0 levels"),
        (([0, 0.5, 1], [0, 0, 0], [10, 10, 10]), "all 30 responses are alike"),
        (([0, 0.5, 1], [10, 10, 10], [10, 10, 10]), "all 30 responses are alike"),
    ],
)
def test_tables_that_no_curve_can_be_fitted_to_need_no_psignifit(table, reason):
    found = psychometric(*table)
    assert not found.converged
    assert reason in found.reason
    assert found.threshold is None
    with pytest.raises(DataError, match="there is none"):
        found.curve([0])


@pytest.mark.parametrize(
    ("k", "reason"),
    [
        ([5, 5, 6, 5, 5, 5, 4, 6], "threshold"),
        ([5] * 8, "threshold"),
        ([19, 18, 15, 12, 7, 4, 2, 1], "other direction"),
    ],
)
def test_responses_that_do_not_place_a_threshold(k, reason):
    found = fit(LEVELS, k, np.full(8, 20))
    assert not found.converged
    assert reason in found.reason
    assert found.deviance is None


def test_psignifit_is_an_extra(monkeypatch):
    found = builtins.__import__

    def absent(name, *rest):
        if name == "psignifit":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra, match=r"affekt\[humans\]"):
        psychometric(LEVELS, *counts())


TABLE = ([0, 0.5, 1], [0, 5, 10], [10, 10, 10])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: psychometric([0, 1], [0, 5, 10], [10, 10, 10]), DataError, r"levels \(2,\), positive \(3,\)"),
        (lambda: psychometric([0, np.nan, 1], *TABLE[1:]), DataError, "not finite"),
        (lambda: psychometric(TABLE[0], [0, 0.5, 1], TABLE[2]), DataError, "counts, not shares"),
        (lambda: psychometric(TABLE[0], [0, 11, 1], TABLE[2]), DataError, "11 positive of 10 at level 0.5"),
        (lambda: psychometric(TABLE[0], [-1, 1, 1], TABLE[2]), DataError, "-1 positive of 10 at level 0"),
        (lambda: psychometric(*TABLE, guess="chance"), UsageError, 'guess "chance": unknown'),
        (lambda: psychometric(*TABLE, guess=1.0), UsageError, r"guess = 1.0"),
        (lambda: psychometric(*TABLE, sigmoid="probit"), UsageError, 'sigmoid "probit": unknown'),
        (lambda: psychometric(*TABLE, direction="up"), UsageError, 'direction "up": unknown'),
        (lambda: psychometric(*TABLE, confidence=95), UsageError, "confidence = 95"),
        (lambda: count_levels([0, 1], [1]), DataError, r"levels \(2,\) and responses \(1,\)"),
        (lambda: count_levels([0, 1], [1, 2]), DataError, "responses 0 or 1"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
