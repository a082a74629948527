"""Points: percent, absolute points and pairs by seed, by hand."""

import numpy as np
import pytest

from affekt.study.points import ALPHA, common_seeds, compared, paired, percent, points, spread
from affekt.study.statistics import compare, resample, smallest_difference


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    scores = {"a": {s: rng.integers(0, 2, 40) for s in (0, 1, 2)}, "b": {s: rng.integers(0, 2, 40) for s in (1, 2, 3)}}
    return resample(scores | {"right": {0: np.ones(40), 1: np.ones(40)}}, draws=200)


def test_spread_by_hand():
    assert spread([1.0, 3.0]) == {"mean": 2.0, "sd": pytest.approx(2**0.5), "each": [1.0, 3.0]}
    assert spread([4.0])["sd"] is None


def test_percent_stays_within_its_bounds(drawn):
    found = percent(drawn["right"])
    assert (found["mean"], found["high"]) == (100.0, 100.0)
    assert 0.0 <= found["low"] <= 100.0


def test_pairs_are_of_the_seeds_that_both_have(drawn):
    assert common_seeds("a", "b", drawn) == [1, 2]
    assert common_seeds("a", "nobody", drawn) == []
    assert paired("a", "nobody", drawn) is None
    d = paired("a", "b", drawn)
    assert d is not None
    by_hand = [float(drawn["a"].mean[i] - drawn["b"].mean[j]) for i, j in ((1, 0), (2, 1))]
    assert list(d.each) == pytest.approx(by_hand)
    assert points(d)["estimate"] == pytest.approx(100 * np.mean(by_hand))


def test_what_a_study_finds_is_judged_at_the_share_of_alpha_that_each_comparison_has(drawn):
    d = paired("a", "b", drawn)
    assert d is not None
    (c,) = compare({"a - b": d}, margin=0.005, alpha=ALPHA, more=3)
    found = compared(c, [1, 2], family=4, units="speakers")
    assert found["smallest"] == pytest.approx(100 * smallest_difference(d, alpha=ALPHA / 4))
    assert found["smallest"] > 100 * smallest_difference(d, alpha=ALPHA)
    assert (found["seeds"], found["from_speakers"]) == ([1, 2], pytest.approx(100 * d.from_items))
