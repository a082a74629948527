"""Response entropy: by hand, against scipy, within bounds; what finite votes take from it, by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, entropy_agreement, missing_entropy, response_entropy


def test_by_hand():
    found = response_entropy([[5, 5, 0, 0], [10, 0, 0, 0], [1, 1, 1, 1], [0.5, 0.25, 0.25, 0]])
    assert found == pytest.approx([0.5, 0, 1, 0.75])


@given(arrays(np.int64, (3, 5), elements=st.integers(0, 20)).filter(lambda x: (x.sum(axis=1) > 0).all()))
def test_it_is_scipys_and_within_bounds(votes):
    found = response_entropy(votes)
    assert found == pytest.approx(stats.entropy(votes, axis=1, base=5), abs=1e-12)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()


def test_missing_entropy_by_hand():
    """Leave each of the votes out in turn."""
    votes = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    without = [stats.entropy(np.bincount(np.delete(votes, i))) for i in range(10)]
    expected = 9 * (stats.entropy([4, 4, 2]) - np.mean(without))
    assert missing_entropy([[4, 4, 2, 0], [10, 0, 0, 0]]) == pytest.approx([expected, 0], abs=1e-12)
    assert np.isnan(missing_entropy([[1, 0]])).all()


def test_missing_entropy_is_what_finite_votes_take():
    """10,000 draws of 20 votes each from one distribution."""
    truth = np.array([0.5, 0.3, 0.2])
    votes = np.random.default_rng(0).multinomial(20, truth, size=10_000)
    lost = stats.entropy(truth) - (response_entropy(votes) * np.log(3)).mean()
    assert missing_entropy(votes).mean() == pytest.approx(lost, rel=0.1)


def test_every_draw_is_of_the_drawn_stimuli():
    rng = np.random.default_rng(0)
    people = rng.multinomial(10, [0.5, 0.3, 0.2], size=30)
    models = {"a": rng.dirichlet(np.ones(3), 30), "b": rng.dirichlet(np.ones(3) * 5, 30)}
    shared = bootstrap(30, resamples=20)
    found = entropy_agreement(models, people, shared)
    theirs = response_entropy(people)
    for name, p in models.items():
        own = response_entropy(p)
        for draw, weights in enumerate([np.ones(30), *np.concatenate(list(shared.weights()))]):
            x, y = (np.repeat(e, weights.astype(int)) for e in (own, theirs))
            of = found[name]
            expected = (x.mean(), x.mean() - y.mean(), stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic)
            for measure, value in zip((of.mean, of.difference, of.pearson, of.spearman), expected, strict=True):
                assert (measure.value if not draw else measure.draws[draw - 1]) == pytest.approx(value, abs=1e-9)


def test_equal_entropies_have_no_correlation_and_a_reason():
    people = [[3, 1], [2, 2], [0, 4]]
    found = entropy_agreement({"flat": np.full((3, 2), 0.5)}, people, bootstrap(3))["flat"]
    assert found.pearson.value is None and found.spearman.reason == "flat has the same number for all 3 stimuli"
    assert found.mean.value == pytest.approx(1) and found.mean.reason == ""


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ({}, UsageError, "no models"),
        ({"m": np.full((2, 2), 0.5)}, UsageError, r"model m: shape \(2, 2\); one row of 2 for each of 3"),
        ({"m": [[0.5, 0.5], [0.9, 0.3], [3, -2]]}, DataError, r"m: 2 of 3 no distribution.*\[0.9, 0.3\] at index 1"),
        ({"m": [[0.5, 0.5], [np.nan, 1], [0, 1]]}, DataError, "1 of 3 no distribution"),
    ],
)  # fmt: skip
def test_probabilities_that_cannot_be(models, error, message):
    with pytest.raises(error, match=message):
        entropy_agreement(models, [[3, 1], [2, 2], [0, 4]], bootstrap(3))


def test_one_category_has_no_entropy():
    with pytest.raises(UsageError, match="two or more classes"):
        response_entropy([[1], [2]])
