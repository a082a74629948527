"""Noise ceilings: by hand, and against what is known of simulated raters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, from_spread, leave_one_out, split_half

ROWS = np.array([[1.0, 2, 4, 4], [2.0, 1, 3, 5], [1.0, 3, 3, 4]])
FOUR = bootstrap(4, resamples=20)


def raters(noise, people=20, stimuli=200, seed=0):
    """(raters, N) ratings of a true value with a variance of 1; a single rater's reliability is 1 / (1 + noise^2)."""
    rng = np.random.default_rng([11, seed])
    true = rng.normal(size=stimuli)
    return true, true + rng.normal(0, noise, (people, stimuli))


def spread(table, shared):
    return from_spread(table.mean(axis=0), table.std(axis=0, ddof=1), np.full(table.shape[1], len(table)), shared)


METHODS = {"split-half": split_half, "leave-one-rater-out": leave_one_out, "spread": spread}


def test_split_half_of_two_raters_by_hand():
    """Only one way to halve them: r steps up to 2 r / (1 + r)."""
    found = split_half(ROWS[:2], FOUR)
    r = np.corrcoef(ROWS[:2])[0, 1]
    assert found.correlation.value == pytest.approx(r)
    assert found.reliability.value == pytest.approx(2 * r / (1 + r))
    assert found.ceiling.value == pytest.approx((2 * r / (1 + r)) ** 0.5)
    assert (found.raters, found.stimuli, found.method) == (2, 4, "split-half")


def test_split_half_of_three_raters_is_the_mean_of_one_against_two():
    found = split_half(ROWS, FOUR, splits=3000)
    each = [np.corrcoef(ROWS[i], np.delete(ROWS, i, axis=0).mean(axis=0))[0, 1] for i in range(3)]
    assert found.correlation.value == pytest.approx(np.mean(each), abs=0.005)


def test_leave_one_out_by_hand():
    found = leave_one_out(ROWS, FOUR)
    r = np.mean([np.corrcoef(ROWS[i], np.delete(ROWS, i, axis=0).mean(axis=0))[0, 1] for i in range(3)])
    assert found.correlation.value == pytest.approx(r)
    q = np.roots([2, -(r**2), -(r**2)]).max()  # 2 q^2 / (1 + q) = r^2
    assert found.reliability.value == pytest.approx(3 * q / (1 + 2 * q))


def test_spread_by_hand():
    found = from_spread([1, 2, 3, 6], [1, 2, 1, 2], [4, 4, 2, 8], FOUR)
    assert found.reliability.value == pytest.approx(1 - (0.25 + 1 + 0.5 + 0.5) / 4 / (14 / 3))
    assert found.correlation is None and found.raters == 4.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("noise", [0.5, 3.0])
def test_the_ceiling_is_what_the_true_values_reach(method, noise):
    """The mean of 40 sets of 20 raters against the correlation of their means with the truth."""
    found, reached = [], []
    for seed in range(40):
        true, table = raters(noise, seed=seed)
        found.append(METHODS[method](table, bootstrap(200, resamples=1)).ceiling.value)
        reached.append(np.corrcoef(true, table.mean(axis=0))[0, 1])
    assert np.mean(found) == pytest.approx((1 / (1 + noise**2 / 20)) ** 0.5, abs=0.01)
    assert np.mean(found) == pytest.approx(np.mean(reached), abs=0.01)


@pytest.mark.parametrize("method", [split_half, leave_one_out])
def test_raters_who_saw_a_part_only(method):
    """Each of 40 raters saw about half: as reliable as 20 who saw all."""
    found = []
    for seed in range(20):
        _, table = raters(2.0, people=40, seed=seed)
        table[np.random.default_rng(seed).random(table.shape) < 0.5] = np.nan
        found.append(method(table, bootstrap(200, resamples=1)).ceiling.value)
    assert np.mean(found) == pytest.approx((1 / (1 + 4 / 20)) ** 0.5, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_intervals_cover(method):
    """300 sets of 100 stimuli with ten raters each."""
    options = {"splits": 20} if method == "split-half" else {}
    truth, covered = (1 / (1 + 4 / 10)) ** 0.5, 0
    for trial in range(300):
        _, table = raters(2.0, people=10, stimuli=100, seed=trial)
        shared = bootstrap(100, resamples=200, seed=trial)
        low, high = METHODS[method](table, shared, **options).ceiling.interval()
        covered += low < truth < high
    assert 0.88 < covered / 300 < 0.99


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_bounds(seed):
    """Whatever raters do, a ceiling lies in [0, 1] or is said to be undefined."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rng.integers(2, 6), 8)).round(1)
    for method in METHODS.values():
        found = method(table, bootstrap(8, resamples=10))
        for value in [found.ceiling.value, *found.ceiling.draws]:
            assert value is None or np.isnan(value) or 0 <= value <= 1 + 1e-12
        assert (found.ceiling.value is None) == bool(found.ceiling.reason)
        if found.reliability.value is not None:
            assert found.reliability.value <= 1 + 1e-12


def test_raters_who_disagree_have_no_ceiling_and_a_reason():
    opposed = np.array([[1.0, 2, 3, 4], [4.0, 3, 1, 2]])
    halves, one = split_half(opposed, FOUR), leave_one_out(opposed, FOUR)
    assert halves.ceiling.value is None and halves.ceiling.reason.startswith("the reliability is -")
    assert halves.reliability.value < 0
    assert (
        one.ceiling.value is None
        and "do not agree: their mean leave-one-rater-out correlation is -0.8" in one.ceiling.reason
    )
    wide = from_spread([1, 2, 1, 2], [3, 3, 3, 3], [4, 4, 4, 4], FOUR)
    assert wide.reliability.value == pytest.approx(1 - 9 / 4 / (1 / 3))
    assert wide.ceiling.value is None and "differ more than the stimuli" in wide.ceiling.reason


def test_draws_below_zero_count_as_zero():
    rng = np.random.default_rng(3)
    found = from_spread(rng.normal(size=12), np.full(12, 3.0), np.full(12, 12), bootstrap(12, resamples=300))
    assert (found.reliability.draws < 0).any()
    assert ((found.ceiling.draws == 0) == (found.reliability.draws <= 0)).all()


def test_constant_ratings():
    flat = np.full((3, 4), 0.1)
    assert split_half(flat, FOUR).ceiling.reason == "no two sets of raters with differing ratings of the same stimuli"
    assert from_spread(flat[0], flat[0], [2] * 4, FOUR).ceiling.reason == "people's means are the same for all stimuli"
    one = leave_one_out(np.vstack([ROWS, flat[:1]]), FOUR)
    rest = (ROWS.sum(axis=0) + 0.1 - ROWS) / 3
    assert one.correlation.value == pytest.approx(
        np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(ROWS, rest, strict=True)])
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: split_half(ROWS.T, FOUR), UsageError, r"shape \(4, 3\); \(raters, 4 stimuli\)"),
        (lambda: split_half(ROWS[:1], FOUR), UsageError, "1 raters; two or more"),
        (lambda: split_half(ROWS, FOUR, splits=0), UsageError, "splits = 0"),
        (lambda: leave_one_out(np.where(ROWS == 5, np.inf, ROWS), FOUR), DataError, "ratings: 1 infinite"),
        (lambda: leave_one_out(ROWS, FOUR, scale=(1, 4)), DataError, r"1 of 12 outside.*5. at index \(1, 3\)"),
        (lambda: split_half(ROWS, FOUR, scale=(2, 5)), DataError, "3 of 12 outside"),
        (lambda: from_spread([1, 2, 3, 9], [1] * 4, [4] * 4, FOUR, scale=(1, 7)), DataError, "means: 1 of 4 outside"),
        (lambda: from_spread([1, 2, 3, 4], [1, -1, 1, 1], [4] * 4, FOUR), DataError, "sds: 1 of 4 below 0.* index 1"),
        (lambda: from_spread([1, 2, 3, 4], [1] * 4, [4, 1, 1, 4], FOUR), DataError, "counts: 2 of 4 below 2"),
    ],
)  # fmt: skip
def test_ratings_that_cannot_be(call, error, message):
    with pytest.raises(error, match=message):
        call()
