"""Confusion matrices and their correlation: by hand and, for each resample, from the drawn stimuli themselves."""

import numpy as np
import pytest

from affekt.errors import DataError, UsageError
from affekt.humans.agreement import bootstrap, confusion_agreement, confusion_among, confusion_matrix

TRUTH = [0, 0, 1, 1, 1]


def test_counts_and_shares_by_hand():
    found = confusion_matrix(TRUTH, [0, 1, 1, 1, 2], classes=3)
    np.testing.assert_array_equal(found.counts, [[1, 1, 0], [0, 2, 1], [0, 0, 0]])
    np.testing.assert_allclose(found.shares, [[0.5, 0.5, 0], [0, 2 / 3, 1 / 3], [np.nan] * 3])
    assert found.absent == (2,)


def test_votes_count_as_many_times_as_there_are():
    found = confusion_matrix([0, 0], [[9, 1], [0, 2]], classes=2)
    np.testing.assert_array_equal(found.counts, [[9, 3], [0, 0]])


def test_correlation_by_hand():
    """People's rows (.5, .5) and (0, 1) against (1, 0), (0, 1) and against (1, 0), (.5, .5): all means are .5."""
    models = {"right": [0, 0, 1, 1], "other": [0, 0, 0, 1]}
    found = confusion_agreement(models, [0, 1, 1, 1], [0, 0, 1, 1], bootstrap(4), classes=2)
    assert found["right"].every_cell.value == pytest.approx(0.5 / (0.5 * 1) ** 0.5)
    assert found["other"].every_cell.value == pytest.approx(0)
    assert found["other"].off_diagonal.value == pytest.approx(-1)


def by_definition(truth, responses, people, classes, cells):
    shares = [
        np.array([x[truth == k].mean(axis=0) for k in range(classes) if (truth == k).any()])
        for x in (responses, people)
    ]
    rows = [k for k in range(classes) if (truth == k).any()]
    kept = np.ones((len(rows), classes), dtype=bool)
    if cells == "off_diagonal":
        kept[np.arange(len(rows)), rows] = False
    a, b = (s[kept] for s in shares)
    return np.corrcoef(a, b)[0, 1] if a.std() > 1e-9 and b.std() > 1e-9 else np.nan


@pytest.mark.parametrize("cells", ["every_cell", "off_diagonal"])
def test_every_draw_is_of_the_drawn_stimuli(cells):
    """A class of two stimuli is now and then in no resample; its row then does not count."""
    rng = np.random.default_rng(0)
    truth = np.array([0] * 2 + [1] * 9 + [2] * 9)
    people = rng.multinomial(rng.integers(1, 9, size=20), [0.5, 0.3, 0.2])
    models = {"hard": rng.integers(0, 3, 20), "soft": rng.dirichlet(np.ones(3), 20)}
    shared = bootstrap(20, resamples=60)
    found = confusion_agreement(models, people, truth, shared, classes=3)
    weights = np.concatenate([np.ones((1, 20)), *shared.weights()]).astype(int)
    assert (weights[:, :2].sum(axis=1) == 0).any()
    votes = people / people.sum(axis=1, keepdims=True)
    for name, given in models.items():
        responses = np.eye(3)[given] if given.ndim == 1 else given
        measure = getattr(found[name], cells)
        for value, times in zip([measure.value, *measure.draws], weights, strict=True):
            drawn = (np.repeat(x, times, axis=0) for x in (truth, responses, votes))
            assert value == pytest.approx(by_definition(*drawn, 3, cells), nan_ok=True)


def test_a_model_with_peoples_confusions_correlates_fully_and_is_bounded():
    rng = np.random.default_rng(1)
    truth, people = np.arange(60) % 4, rng.dirichlet(np.ones(4), 60)
    found = confusion_agreement(
        {"same": people, "other": rng.dirichlet(np.ones(4), 60)}, people, truth, bootstrap(60), classes=4
    )
    assert found["same"].every_cell.value == pytest.approx(1) and found["same"].off_diagonal.value == pytest.approx(1)
    assert (np.abs(found["other"].off_diagonal.draws) <= 1).all()


def test_equal_cells_have_no_correlation_and_a_reason():
    perfect = confusion_agreement({"m": TRUTH}, [0, 0, 1, 0, 1], TRUTH, bootstrap(5), classes=2)["m"]
    assert perfect.every_cell.value is not None
    assert perfect.off_diagonal.value is None
    assert perfect.off_diagonal.reason == "all off-diagonal cells of m or of people are the same"


def test_a_category_no_stimulus_has_changes_nothing_but_its_column():
    with_it = confusion_agreement({"m": [0, 0, 0, 1]}, [0, 1, 1, 1], [0, 0, 1, 1], bootstrap(4), classes=3)["m"]
    assert with_it.every_cell.value == pytest.approx(np.corrcoef([0.5, 0.5, 0, 0, 1, 0], [1, 0, 0, 0.5, 0.5, 0])[0, 1])


@pytest.mark.parametrize(
    ("truth", "responses", "error", "message"),
    [
        (TRUTH, [0, 1, 3, 1, 2], DataError, "responses: 1 of 5 no class 0 to 2; the first is 3. at index 2"),
        ([0, 0.5, -1, 1, 1], TRUTH, DataError, "truth: 2 of 5 no class 0 to 2; the first is 0.5 at index 1"),
        (TRUTH, [0, 1], UsageError, r"responses: shape \(2,\); one number for each of the 5"),
        (TRUTH, np.ones((5, 4)), UsageError, "4 columns for 3 classes"),
        (TRUTH, np.ones((4, 3)), UsageError, r"shape \(4, 3\); \(5, K\)"),
        (TRUTH, [[1, 0, 0]] * 4 + [[0, 0, 0]], DataError, "1 of 5 without a single vote.* at index 4"),
        (TRUTH, [[1, 0, 0]] * 4 + [[2, 0, -1]], DataError, "1 of 5 not finite numbers from 0 on"),
    ],
)  # fmt: skip
def test_responses_that_cannot_be(truth, responses, error, message):
    with pytest.raises(error, match=message):
        confusion_matrix(truth, responses, classes=3)


def test_no_models():
    with pytest.raises(UsageError, match="no models"):
        confusion_agreement({}, TRUTH, TRUTH, bootstrap(5), classes=2)


def people_among(rng):
    """Truth of 24 stimuli and four people, who have not answered to all of them; one to a single category."""
    truth = np.arange(24) % 3
    people = {f"p{k}": np.where(rng.random(24) < 0.5, truth, rng.integers(0, 3, 24)) for k in range(3)}
    people["p1"][rng.random(24) < 0.3] = -1
    people["p2"][:2] = -1
    people["one"] = np.where(truth == 1, people["p0"], -1)
    return truth, people


@pytest.mark.parametrize("cells", ["every_cell", "off_diagonal"])
def test_people_among_themselves_are_each_against_the_others(cells):
    truth, people = people_among(np.random.default_rng(2))
    shared = bootstrap(24, resamples=30)
    found = getattr(confusion_among(people, truth, shared, classes=3), cells)
    weights = np.concatenate([np.ones((1, 24)), *shared.weights()]).astype(int)
    onehot = {name: np.eye(4)[given][:, :3] for name, given in people.items()}
    for value, times in zip([found.value, *found.draws], weights, strict=True):
        each = []
        for name in ("p0", "p1", "p2"):
            others = sum(given for other, given in onehot.items() if other != name)
            kept = np.repeat(np.arange(24), times)
            kept = kept[onehot[name][kept].any(axis=1) & others[kept].any(axis=1)]
            shares = others[kept] / others[kept].sum(axis=1, keepdims=True)
            each.append(by_definition(truth[kept], onehot[name][kept], shares, 3, cells))
        assert value == pytest.approx(np.nanmean(each))


def test_people_who_answer_alike_correlate_fully_and_without_errors_not_at_all():
    truth, given = [0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 0]
    found = confusion_among({"a": given, "b": given, "c": given}, truth, bootstrap(6), classes=3)
    assert (found.every_cell.value, found.off_diagonal.value) == pytest.approx((1, 1))
    perfect = confusion_among({"a": truth, "b": truth}, truth, bootstrap(6), classes=3)
    assert perfect.every_cell.value == pytest.approx(1)
    assert perfect.off_diagonal.reason == "no person has off-diagonal cells to correlate with the others'"
    apart = confusion_among({"a": [0, 0, 1, -1, -1, -1], "b": [-1, -1, -1, 1, 2, 2]}, truth, bootstrap(6), classes=3)
    assert apart.every_cell.value is None and apart.every_cell.reason.startswith("no person has cells")


def test_people_among_themselves_are_two():
    with pytest.raises(UsageError, match="1 people; two or more"):
        confusion_among({"a": TRUTH}, TRUTH, bootstrap(5), classes=2)
    with pytest.raises(DataError, match="person b: 1 of 5 no class 0 to 1"):
        confusion_among({"a": TRUTH, "b": [0, 0, -1, -2, 1]}, TRUTH, bootstrap(5), classes=2)
