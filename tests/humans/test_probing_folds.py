"""Folds of a probe: groups whole, outside and inside; the same as a recipe's; a function of the seed."""

import numpy as np
import pytest
import torch

from affekt.affect import RatingScale
from affekt.data import ArrayPictures, Labels, Stimuli, make_splits
from affekt.errors import DataError
from affekt.humans.probing import cut
from affekt.recipe import DataSettings


def stimuli(n=60, groups=20, seed=0):
    rng = np.random.default_rng(seed)
    return Stimuli(
        name="set",
        ids=np.array([f"p{i:03d}" for i in range(n)]),
        pictures=ArrayPictures(torch.zeros(n, 3, 8, 8, dtype=torch.uint8)),
        labels=Labels(ratings={"valence": rng.uniform(1, 7, n).astype(np.float32)}, scale=RatingScale(1, 7)),
        groups=np.array([f"g{i % groups}" for i in range(n)]),
    )


def stands_in_one(units, folds):
    return all(len(set(folds[units == unit])) == 1 for unit in np.unique(units))


def test_groups_are_whole_in_outer_and_inner_folds():
    people = stimuli()
    found = cut(people, "group", folds=5, inner_folds=4, seed=1)
    assert set(found.outer) == set(range(5)) and stands_in_one(people.groups, found.outer)
    for fold in range(5):
        rows = np.flatnonzero(found.outer != fold)
        inner = found.inner(fold, rows)
        assert set(inner) == set(range(4)) and stands_in_one(people.groups[rows], inner)


def test_items_are_cut_whatever_their_group():
    people = stimuli()
    found = cut(people, "item", folds=5, inner_folds=4, seed=1)
    assert not stands_in_one(people.groups, found.outer)
    rows = np.flatnonzero(found.outer != 0)
    assert not stands_in_one(people.groups[rows], found.inner(0, rows))


@pytest.mark.parametrize("unit", ["group", "item"])
def test_outer_folds_are_those_of_a_recipe(unit):
    people = stimuli()
    found = cut(people, unit, folds=3, inner_folds=3, seed=7)
    for fold in range(3):
        splits = make_splits(people, DataSettings(name="set", folds=3, fold=fold, split_by=unit, validation=0), 7)
        assert set(splits["test"].ids) == set(people.ids[found.outer == fold])


def test_another_seed_cuts_otherwise_and_the_inner_folds_differ_between_outer_ones():
    people = stimuli(n=200, groups=100)
    one, two = (cut(people, "group", folds=5, inner_folds=4, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.outer, two.outer)
    rows = np.flatnonzero((one.outer != 0) & (one.outer != 1))
    assert not np.array_equal(one.inner(0, rows), one.inner(1, rows))
    again = cut(people, "group", folds=5, inner_folds=4, seed=0)
    assert np.array_equal(one.outer, again.outer) and np.array_equal(one.inner(0, rows), again.inner(0, rows))


def test_too_few_groups():
    with pytest.raises(DataError, match=r"3 groups cannot be cut into 5 folds.*--unit item"):
        cut(stimuli(groups=3), "group", folds=5, inner_folds=2, seed=0)
    with pytest.raises(DataError, match=r"6 groups cannot be cut into 5 folds with 5 inner folds"):
        cut(stimuli(groups=6), "group", folds=5, inner_folds=5, seed=0)
    cut(stimuli(groups=7), "group", folds=5, inner_folds=5, seed=0)
