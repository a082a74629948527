"""People restricted to some stimuli keep everything of these, and nothing of others."""

import numpy as np
import pytest
from comparison_people import names, ratings, trials, votes

from affekt.errors import DataError
from affekt.humans.comparison.restricting import features_without, restricted, without
from affekt.humans.people import Answers, Features

SOME = ["picture 3", "picture 1"]


def test_ratings():
    people = ratings(
        [1, 2, 3, 4],
        sds={"valence": np.arange(4.0)},
        raters={"valence": np.arange(8.0).reshape(2, 4)},
        rater_names=("a", "b"),
        facts={"theme": np.array(list("wxyz"))},
    )
    found = restricted(people, SOME)
    assert found.ids.tolist() == ["picture 1", "picture 3"]
    assert found.means["valence"].tolist() == [2, 4]
    assert found.sds["valence"].tolist() == [1, 3]
    assert found.raters["valence"].tolist() == [[1, 3], [5, 7]]
    assert found.facts["theme"].tolist() == ["x", "z"]
    assert found.scale == people.scale and found.rater_names == ("a", "b")


def test_votes():
    found = restricted(votes(np.eye(4, dtype=int), "abcd", truth=np.arange(4)), SOME)
    assert found.votes.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    assert found.truth.tolist() == [1, 3]
    assert restricted(votes(np.eye(4, dtype=int), "abcd"), SOME).truth is None


def test_trials():
    people = trials({"s": list("abcd"), "t": list("dcba")}, list("abcd"), list("wxyz"))
    found = restricted(people, SOME)
    assert found.conditions.tolist() == ["x", "z"] and found.truth.tolist() == ["b", "d"]
    assert len(found.trials) == 4
    responses = {name: answers.tolist() for name, answers in found.responses().items()}
    assert responses == {"s": ["b", "d"], "t": ["c", "a"]}


def test_none_of_them():
    with pytest.raises(DataError, match="none of the 1 stimuli"):
        restricted(ratings([1, 2]), ["elsewhere"])


def test_answers_without_others():
    answers = Answers(name="m", ids=names(3), ratings={"valence": np.arange(3.0)}, conditions=np.array(list("abc")))
    found = without(answers, {"picture 1", "elsewhere"})
    assert found.ids.tolist() == ["picture 0", "picture 2"]
    assert found.ratings["valence"].tolist() == [0, 2] and found.conditions.tolist() == ["a", "c"]
    with pytest.raises(DataError, match="m: has no stimulus of this split"):
        without(answers, set(names(3).tolist()))


def test_features_without_others():
    ids = np.array(["a", "b", "c"])
    features = Features(name="m", ids=ids, features=np.arange(6.0).reshape(3, 2))
    kept = features_without(features, {"b"})
    assert kept.ids.tolist() == ["a", "c"] and kept.features.tolist() == [[0, 1], [4, 5]]
    with pytest.raises(DataError, match="m: has no stimulus of this split; all of its 3"):
        features_without(features, ids.tolist())
