"""Ridge regression: against the normal equations and against leaving each picture out in turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.perception.ridge import PENALTIES, fit_ridge


def problem(seed, n=40, d=6, noise=0.5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + rng.normal(size=d)
    return x, x @ rng.normal(size=d) / 5 + rng.normal(scale=noise, size=n)


def solved(x, y, penalty):
    """(weight, bias) from the normal equations on standardised features."""
    mean, sd = x.mean(0), x.std(0)
    z = (x - mean) / sd
    w = np.linalg.solve(z.T @ z + penalty * np.eye(x.shape[1]), z.T @ (y - y.mean())) / sd
    return w, y.mean() - mean @ w


@given(seed=st.integers(0, 1000), wide=st.booleans())
def test_solves_the_normal_equations(seed, wide):
    x, y = problem(seed, d=60 if wide else 6)
    fit = fit_ridge(x, y)
    assert fit.penalty in PENALTIES
    weight, bias = solved(x, y, fit.penalty)
    np.testing.assert_allclose(fit.weight, weight, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.predict(x), x @ weight + bias, atol=1e-8)


def test_residuals_are_those_of_leaving_each_out():
    x, y = problem(3)
    fit = fit_ridge(x, y)
    # The hat matrix leaves a picture out of the regression and of the intercept, not out of the features' scale.
    z = (x - x.mean(0)) / x.std(0)
    for left in range(len(y)):
        rest = np.arange(len(y)) != left
        centre = z[rest].mean(0)
        inner = z[rest] - centre
        gram = inner.T @ inner + fit.penalty * np.eye(z.shape[1])
        w = np.linalg.solve(gram, inner.T @ (y[rest] - y[rest].mean()))
        assert fit.residual[left] == pytest.approx(y[left] - y[rest].mean() - (z[left] - centre) @ w, abs=1e-8)


def test_the_penalty_grows_with_the_noise():
    assert fit_ridge(*problem(0, d=30, noise=30)).penalty > fit_ridge(*problem(0, d=30, noise=0.01)).penalty


def test_what_was_not_rated_is_left_out_and_constant_features_do_no_harm():
    x, y = problem(1)
    x = np.concatenate([x, np.full((len(x), 1), 7.0)], axis=1)
    known = np.arange(len(y)) % 3 > 0
    whole, part = fit_ridge(x, np.where(known, y, np.nan)), fit_ridge(x[known], y[known])
    np.testing.assert_allclose(whole.weight, part.weight)
    assert np.isfinite(whole.weight).all() and whole.weight[-1] == 0
    assert np.array_equal(np.isnan(whole.residual), ~known)
    with pytest.raises(ValueError, match="2 targets"):
        fit_ridge(x[:2], y[:2])
