"""Relabelling: shuffled labels keep everything but whose they are; other columns become categories."""

import numpy as np
import pytest
import torch

from affekt.affect import RatingScale
from affekt.data import ArrayPictures, Labels, Stimuli
from affekt.errors import RecipeError
from affekt.study.relabelling import label_columns, relabelled


def stimuli(n, start):
    ids = np.array([f"{i}" for i in range(start, start + n)])
    labels = Labels(
        ratings={"valence": np.arange(start, start + n, dtype=np.float32) % 9 + 1},
        scale=RatingScale(1, 9),
        extra={
            "place": np.array(["in", "out", ""] * n)[:n],
            "only one": np.array(["same"] * n),
            "unique": ids,
            "number": np.arange(n),
        },
    )
    pictures = ArrayPictures(torch.zeros(n, 3, 8, 8, dtype=torch.uint8))
    return Stimuli(name="made up", ids=ids, pictures=pictures, labels=labels, groups=ids)


@pytest.fixture
def parts():
    return {"train": stimuli(30, 0), "validation": stimuli(12, 30), "test": stimuli(12, 42)}


def test_shuffled_labels_are_the_same_labels_of_other_pictures(parts):
    found = relabelled(parts, "shuffled", seed=0)
    before, after = parts["train"].labels.ratings["valence"], found["train"].labels.ratings["valence"]
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(np.sort(before), np.sort(after))
    np.testing.assert_array_equal(found["train"].ids, parts["train"].ids)
    # Rating and column of a picture move together.
    moved = {(v, p) for v, p in zip(after, found["train"].labels.extra["place"], strict=True)}
    assert moved == {(v, p) for v, p in zip(before, parts["train"].labels.extra["place"], strict=True)}


def test_only_train_is_shuffled(parts):
    found = relabelled(parts, "shuffled", seed=0)
    for split in ("validation", "test"):
        assert found[split] is parts[split]


def test_the_seed_decides_the_order(parts):
    first, again, other = (
        relabelled(parts, "shuffled", seed=seed)["train"].labels.ratings["valence"] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_column_becomes_categories_and_nothing_of_affect_is_left(parts):
    found = relabelled(parts, "place", seed=0)
    for split, part in found.items():
        assert part.labels.categories == ("in", "out")
        assert part.labels.ratings == {}
        words = parts[split].labels.extra["place"]
        expected = [{"in": 0, "out": 1, "": -1}[word] for word in words]
        assert part.labels.category.tolist() == expected


def test_columns_that_can_be_learned(parts):
    assert label_columns(parts["train"].labels) == ["place"]


@pytest.mark.parametrize("column", ["only one", "number", "plaice"])
def test_others_are_refused_with_the_right_ones(parts, column):
    with pytest.raises(RecipeError, match="All: affect, place, shuffled"):
        relabelled(parts, column, seed=0)
