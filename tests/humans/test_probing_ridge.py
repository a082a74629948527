"""Nested ridge regression: against refitted normal equations, and whether anything leaks from a held-out fold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import DataError
from affekt.humans.probing import PENALTIES, fit_ridge, nested_ridge
from affekt.perception.ridge import fit_ridge as fit_ridge_leaving_one_out


def problem(seed, n=36, d=7, t=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + rng.normal(size=d)
    y = x @ rng.normal(size=(d, t)) / 5 + rng.normal(scale=2, size=(n, t)) + 4
    return x, y, rng.permutation(np.arange(n) % 4)


def solved(z, y, penalty):
    """(weights, intercept) of ridge regression on given features, by the normal equations with a column of ones."""
    ones = np.column_stack([np.ones(len(z)), z])
    free = np.diag([0.0, *[penalty] * z.shape[1]])
    solution = np.linalg.solve(ones.T @ ones + free, ones.T @ y)
    return solution[1:], solution[0]


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), wide=st.booleans())
def test_penalty_and_predictions_are_those_of_refitting(seed, wide):
    x, y, folds = problem(seed, d=60 if wide else 7)
    held_out = problem(seed + 1, n=5, d=x.shape[1])[0]
    found = fit_ridge(x, y, folds, held_out)
    mean, sd = x.mean(0), x.std(0)
    z = (x - mean) / sd
    for column in range(2):
        errors = []
        for penalty in PENALTIES:
            error = 0.0
            for fold in range(4):
                seen = folds != fold
                weight, bias = solved(z[seen], y[seen, column], penalty)
                error += np.square(y[~seen, column] - z[~seen] @ weight - bias).sum()
            errors.append(error / len(y))
        assert found.penalty[column] == PENALTIES[np.argmin(errors)]
        assert found.error[column] == pytest.approx(min(errors), rel=1e-6)
        weight, bias = solved(z, y[:, column], found.penalty[column])
        np.testing.assert_allclose(found.predicted[:, column], (held_out - mean) / sd @ weight + bias, atol=1e-7)


def test_folds_of_one_picture_leave_one_out():
    x, y, _ = problem(2, n=40)
    among = PENALTIES[PENALTIES <= 1e5]
    found = fit_ridge(x, y[:, :1], np.arange(40), x, among)
    other = fit_ridge_leaving_one_out(x, y[:, 0])
    assert found.penalty[0] == other.penalty
    assert found.error[0] == pytest.approx(np.square(other.residual).mean())
    np.testing.assert_allclose(found.predicted[:, 0], other.predict(x))


def test_features_that_are_constant_in_training_say_nothing():
    x, y, folds = problem(4)
    held_out = problem(5, n=6)[0]
    plain = fit_ridge(x, y, folds, held_out)
    constant = np.full((len(x), 2), 1e4)
    constant[:, 1] += np.random.default_rng(0).normal(size=len(x)) * 1e-3  # what float32 leaves of a constant
    more = fit_ridge(np.hstack([x, constant]), y, folds, np.hstack([held_out, np.full((6, 2), -7.0)]))
    np.testing.assert_allclose(more.predicted, plain.predicted, rtol=1e-9)


def test_small_features_are_not_taken_for_constants():
    x, y, folds = problem(4)
    held_out = problem(5, n=6)[0]
    tiny = fit_ridge(x * 1e-12, y, folds, held_out * 1e-12)
    np.testing.assert_allclose(tiny.predicted, fit_ridge(x, y, folds, held_out).predicted, rtol=1e-6)


def test_without_any_feature_the_mean_is_said():
    y = np.array([[1.0], [2.0], [6.0], [3.0]])
    found = fit_ridge(np.ones((4, 3)), y, np.array([0, 0, 1, 1]), np.ones((2, 3)))
    np.testing.assert_allclose(found.predicted, 3.0)
    # Left out, the first two are said to be 4.5 and the others 1.5.
    assert found.error[0] == pytest.approx((3.5**2 + 2.5**2 + 4.5**2 + 1.5**2) / 4)


class TestNested:
    def inner(self, fold, rows):
        return rows % 3

    def test_each_picture_is_predicted_by_the_fit_that_did_not_see_it(self):
        x, y, outer = problem(6)
        found = nested_ridge(x, y, outer, self.inner)
        for fold in range(4):
            rows = np.flatnonzero(outer != fold)
            one = fit_ridge(x[rows], y[rows], rows % 3, x[outer == fold])
            np.testing.assert_allclose(found.predicted[outer == fold], one.predicted)
            np.testing.assert_array_equal(found.penalty[fold], one.penalty)
            np.testing.assert_array_equal(found.error[fold], one.error)

    def test_nothing_of_a_held_out_fold_reaches_its_predictions(self):
        x, y, outer = problem(7, d=50)
        before = nested_ridge(x, y, outer, self.inner)
        held = outer == 2
        other_ratings, other_pictures = y.copy(), x.copy()
        other_ratings[held] = np.random.default_rng(0).normal(size=(held.sum(), 2)) * 100
        after = nested_ridge(x, other_ratings, outer, self.inner)
        np.testing.assert_array_equal(after.predicted[held], before.predicted[held])
        assert not np.allclose(after.predicted[~held], before.predicted[~held])
        one = np.flatnonzero(held)[0]
        other_pictures[one] *= 50
        moved = nested_ridge(other_pictures, y, outer, self.inner).predicted[held]
        np.testing.assert_array_equal(moved[1:], before.predicted[held][1:])

    def test_a_target_without_some_ratings_is_fitted_on_the_others(self):
        x, y, outer = problem(8)
        y[::5, 1] = np.nan
        found = nested_ridge(x, y, outer, self.inner)
        rated = ~np.isnan(y[:, 1])
        np.testing.assert_array_equal(np.isnan(found.predicted), np.isnan(y))
        rows = np.flatnonzero(rated)
        alone = nested_ridge(x[rated], y[rated, 1:], outer[rated], lambda fold, inside: rows[inside] % 3)
        np.testing.assert_allclose(found.predicted[rated, 1], alone.predicted[:, 0])
        np.testing.assert_allclose(found.predicted[:, 0], nested_ridge(x, y[:, :1], outer, self.inner).predicted[:, 0])

    def test_too_few_ratings(self):
        y = np.full((8, 1), np.nan)
        y[:3] = 1
        with pytest.raises(DataError, match="2 rated pictures outside of fold 0"):
            nested_ridge(np.eye(8), y, np.arange(8) % 4, self.inner)


@pytest.fixture(scope="module")
def duplicates():
    """80 themes with four near-duplicates each: features and ratings that have nothing to do with each other."""
    rng = np.random.default_rng(3)
    theme = np.repeat(np.arange(80), 4)
    features = rng.normal(size=(80, 200))[theme] + 0.3 * rng.normal(size=(320, 200))
    ratings = (rng.normal(size=80)[theme] + 0.3 * rng.normal(size=320))[:, None]
    return theme, features, ratings


@pytest.mark.parametrize("unit,low,high", [("theme", -0.2, 0.2), ("picture", 0.8, 1.0)])
def test_noise_is_predicted_where_folds_leak_and_only_there(duplicates, unit, low, high):
    theme, features, ratings = duplicates
    order = np.random.default_rng(4).permutation(320)
    outer = theme % 5 if unit == "theme" else order % 5
    inner = theme // 5 % 5 if unit == "theme" else order // 5 % 5
    found = nested_ridge(features, ratings, outer, lambda fold, rows: inner[rows])
    within = [np.corrcoef(found.predicted[outer == k, 0], ratings[outer == k, 0])[0, 1] for k in range(5)]
    assert low < np.mean(within) < high


def test_inner_folds_over_pictures_would_choose_a_penalty_that_memorises(duplicates):
    """Why the inner folds are grouped too: with leaking ones, the least penalty looks best, in training alone."""
    theme, features, ratings = duplicates
    seen, held = theme % 5 != 0, theme % 5 == 0
    chosen = {}
    for unit, folds in (("theme", theme[seen] // 5 % 5), ("picture", np.arange(seen.sum()) % 5)):
        fit = fit_ridge(features[seen], ratings[seen], folds, features[held])
        chosen[unit] = fit.penalty[0], np.square(fit.predicted - ratings[held]).mean()
    assert chosen["theme"][0] > 100 * chosen["picture"][0]
    assert chosen["theme"][1] < chosen["picture"][1]
