"""Splits: whole groups, right shares, balanced strata, and nothing but (seed, ids) in them."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data import Labels, Stimuli, open_stimuli
from affekt.data.pictures import ArrayPictures
from affekt.data.splits import Splits, apply_split, cut_off, make_splits, read_split, without_groups
from affekt.data.stratifying import assign, draw_evenly, draw_stratified, round_to_sum
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings

SPLITS = ("train", "validation", "test")


def stimuli(
    category: object = None,
    *,
    n: int | None = None,
    groups: object = None,
    split: object = None,
    names: tuple[str, ...] | None = None,
    **labels: object,
) -> Stimuli:
    """Stimuli with ids "0", "1" ...; each its own group unless said otherwise."""
    if category is not None:
        column = np.asarray(category, dtype=np.int64)
        n = len(column)
        names = names or tuple(f"class {k}" for k in range(int(column.max()) + 1))
        labels |= {"category": column, "categories": names}
    assert n is not None
    ids = np.array([str(i) for i in range(n)])
    return Stimuli(
        name="toy",
        ids=ids,
        pictures=ArrayPictures(torch.zeros((n, 3, 2, 2), dtype=torch.uint8)),
        labels=Labels(**labels),  # type: ignore[arg-type]
        groups=ids if groups is None else np.array(groups, dtype=np.str_),
        split=None if split is None else np.array(split, dtype=np.str_),
    )


def config(**values: object) -> DataSettings:
    return DataSettings(name="toy", **values)  # type: ignore[arg-type]


def members(splits: Splits) -> dict[str, set[str]]:
    return {name: set(ids) for name, ids in splits.ids.items()}


group_sizes = st.lists(st.integers(1, 12), min_size=20, max_size=80)


@settings(max_examples=40, deadline=None)
@given(sizes=group_sizes, classes=st.integers(1, 4), seed=st.integers(0, 1000), data=st.data())
def test_splits_partition_the_pictures_and_share_no_group(
    sizes: list[int], classes: int, seed: int, data: st.DataObject
) -> None:
    of_group = data.draw(st.lists(st.integers(0, classes - 1), min_size=len(sizes), max_size=len(sizes)))
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    everything = stimuli(n=len(groups), groups=groups, votes=np.eye(classes)[np.repeat(of_group, sizes)] + 0.1)
    splits = make_splits(everything, config(validation=0.15, test=0.25), seed)
    found = members(splits)
    assert set(found) == set(SPLITS)
    assert sum(len(part) for part in splits.parts.values()) == len(groups)
    assert set.union(*found.values()) == set(everything.ids.tolist())
    of_split = [set(part.groups.tolist()) for part in splits.parts.values()]
    assert sum(map(len, of_split)) == len(sizes)
    for name, share in (("validation", 0.15), ("test", 0.25)):
        assert abs(len(splits[name]) - share * len(groups)) <= max(sizes)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100), order=st.randoms(use_true_random=False), data=st.data())
def test_membership_does_not_depend_on_the_order_of_rows(seed: int, order: object, data: st.DataObject) -> None:
    sizes = data.draw(group_sizes)
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    valence = np.array(data.draw(st.lists(st.floats(1, 9), min_size=len(groups), max_size=len(groups))), np.float32)
    one = stimuli(n=len(groups), groups=groups, ratings={"valence": valence})
    shuffled = list(range(len(groups)))
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    other = one.take(np.array(shuffled))
    for chosen in (config(), config(folds=3, fold=1), config(train_limit=10), config(split_by="item")):
        assert members(make_splits(one, chosen, seed)) == members(make_splits(other, chosen, seed))


def test_the_seed_decides_and_the_recipes_own_seed_goes_first() -> None:
    everything = stimuli(np.arange(200) % 4)
    one = members(make_splits(everything, config(), 1))
    assert one == members(make_splits(everything, config(), 1))
    assert one != members(make_splits(everything, config(), 2))
    assert one == members(make_splits(everything, config(split_seed=1), 2))


def test_single_pictures_are_stratified_to_within_one() -> None:
    rng = np.random.default_rng(0)
    category = rng.choice(5, size=1003, p=[0.5, 0.3, 0.1, 0.07, 0.03])
    splits = make_splits(stimuli(category), config(validation=0.1, test=0.2), 0)
    for name, share in (("validation", 0.1), ("test", 0.2)):
        counts = np.bincount(splits[name].labels.category, minlength=5)  # type: ignore[arg-type]
        assert np.abs(counts - share * np.bincount(category)).max() <= 1.5
        assert abs(len(splits[name]) - share * 1003) <= 1


def test_whole_groups_are_stratified_far_better_than_by_chance() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 8, 250)
    groups = np.repeat([f"g{i}" for i in range(250)], sizes)
    category = np.repeat(rng.integers(0, 4, 250), sizes)
    wanted = 0.2 * np.bincount(category)
    worst = []
    for seed in range(10):
        splits = make_splits(stimuli(category, groups=groups), config(), seed)
        worst.append(np.abs(np.bincount(splits.test.labels.category, minlength=4) - wanted).max())  # type: ignore[arg-type]
    # Whole groups of 1 to 7 drawn by chance miss by about 14.
    assert max(worst) <= 4


def test_without_categories_valence_is_balanced() -> None:
    valence = np.random.default_rng(0).normal(size=500).astype(np.float32)
    everything = stimuli(n=500, ratings={"arousal": np.zeros(500, np.float32), "valence": valence})
    for seed in range(5):
        splits = make_splits(everything, config(), seed)
        means = [part.labels.ratings["valence"].mean() for part in splits.parts.values()]
        assert np.ptp(means) < 0.15


def test_large_groups_reach_every_split_over_seeds() -> None:
    groups = ["large"] * 30 + [f"g{i}" for i in range(270)]
    everything = stimuli(np.zeros(300), groups=groups)
    where = Counter(
        next(name for name, part in make_splits(everything, config(), seed).parts.items() if "large" in part.groups)
        for seed in range(60)
    )
    assert where["train"] > where["test"] > where["validation"] > 0


def test_folds_cover_all_pictures_once_and_keep_groups_whole() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, 120)
    groups = np.repeat([f"g{i}" for i in range(120)], sizes)
    everything = stimuli(np.repeat(rng.integers(0, 3, 120), sizes), groups=groups)
    tested: list[str] = []
    for fold in range(5):
        splits = make_splits(everything, config(folds=5, fold=fold), 3)
        tested += splits.test.ids.tolist()
        assert abs(len(splits.test) - len(everything) / 5) <= 4
        assert not set(splits.test.groups) & (set(splits.train.groups) | set(splits.validation.groups))
        assert not set(splits.train.groups) & set(splits.validation.groups)
    assert sorted(tested) == sorted(everything.ids.tolist())


def test_own_splits_are_kept_and_validation_is_cut_from_train() -> None:
    own = ["train"] * 80 + ["test"] * 20
    splits = make_splits(stimuli(np.arange(100) % 2, split=own), config(validation=0.25, test=0.5), 0)
    assert splits.test.ids.tolist() == [str(i) for i in range(80, 100)]
    assert len(splits.validation) == 20
    assert splits.notes == (
        "toy: train, test as the set fixes them",
        "toy: 60 train, 20 validation cut from its train pictures by seed 0, stratified, 80 groups whole",
    )


def test_a_set_that_fixes_everything_is_not_cut() -> None:
    own = ["train", "validation", "test"] * 10
    splits = make_splits(stimuli(np.zeros(30), split=own), config(), 0)
    assert {name: len(part) for name, part in splits.parts.items()} == dict.fromkeys(SPLITS, 10)
    assert splits.train.ids.tolist() == [str(i) for i in range(0, 30, 3)]
    assert splits.notes == ("toy: train, validation, test as the set fixes them",)


def test_free_items_follow_their_group_and_fill_what_is_not_fixed() -> None:
    own = ["test"] * 10 + [""] * 50
    groups = [f"g{i}" for i in range(10)] + ["g0", "g1"] + [f"f{i}" for i in range(48)]
    splits = make_splits(stimuli(np.zeros(60), groups=groups, split=own), config(validation=0.25), 0)
    assert set(splits.test.ids.tolist()) == {str(i) for i in range(12)}
    assert (len(splits.train), len(splits.validation)) == (36, 12)


def test_a_share_of_zero_leaves_the_split_out_and_says_so_when_asked() -> None:
    splits = make_splits(stimuli(np.zeros(30)), config(test=0.0), 0)
    assert "test" not in splits
    assert set(splits.parts) == {"train", "validation"}
    with pytest.raises(UsageError, match=r"toy: no test split; it has train, validation; `test` is the share"):
        _ = splits.test


def test_groups_in_two_splits_are_refused_and_named() -> None:
    groups = [f"g{i // 2}" for i in range(20)]
    everything = stimuli(np.zeros(20), groups=groups, split=["train", "test"] * 10)
    with pytest.raises(DataError) as error:
        make_splits(everything, config(validation=0.0), 0)
    assert str(error.value).startswith(
        "toy: 10 group(s) stand in more than one split: g0, g1, g2, g3, g4 and 5 more; cut it anew (folds)"
    )
    leaky = make_splits(everything, config(validation=0.0, split_by="item"), 0)
    assert leaky.notes[-1] == "toy: split_by = item LEAKS: 10 of 10 groups stand in two splits"
    anew = make_splits(everything, config(folds=2), 0)
    assert not set(anew.train.groups) & set(anew.test.groups)
    assert anew.notes[0].endswith("the set's own splits are not used")


def test_splitting_by_item_breaks_groups_and_says_how_many() -> None:
    groups = [f"g{i // 10}" for i in range(100)]
    splits = make_splits(stimuli(np.zeros(100), groups=groups), config(split_by="item"), 0)
    shared = set(splits.train.groups) & set(splits.test.groups)
    assert shared
    assert "LEAKS: 10 of 10 groups" in splits.notes[-1]


def test_the_training_limit_is_stratified_and_grows_by_adding() -> None:
    category = np.repeat([0, 1, 2], [600, 300, 10])
    everything = stimuli(category)
    small = make_splits(everything, config(train_limit=50), 0)
    large = make_splits(everything, config(train_limit=200), 0)
    counts = np.bincount(small.train.labels.category)  # type: ignore[arg-type]
    assert counts.sum() == 50
    assert counts[2] == 1
    assert abs(counts[0] - 2 * counts[1]) <= 3
    assert set(small.train.ids.tolist()) <= set(large.train.ids.tolist())
    assert set(small.test.ids.tolist()) == set(large.test.ids.tolist())
    assert "50 of 637 training pictures, drawn stratified by seed 0" in small.notes[-1]
    every = make_splits(everything, config(train_limit=10_000), 0)
    assert "all 637 training pictures are used" in every.notes[-1]


def test_a_class_without_a_training_picture_is_refused() -> None:
    own = ["train"] * 10 + ["test"] * 10
    category = [0] * 10 + [0] * 9 + [1]
    with pytest.raises(DataError, match=r"toy: 1 class\(es\) without a training picture: class 1$"):
        make_splits(stimuli(category, split=own), config(validation=0.0), 0)
    with pytest.raises(DataError, match=r"1 class\(es\) without a training picture: empty$"):
        make_splits(stimuli(np.zeros(40), names=("full", "empty")), config(), 0)
    with pytest.raises(DataError, match=r"3 class\(es\) without a training picture"):
        make_splits(stimuli(np.arange(400) % 10), config(train_limit=7), 0)


def test_a_category_that_no_vote_wins_is_only_noted() -> None:
    votes = np.tile([[3.0, 1.0]], (40, 1))
    everything = stimuli(np.zeros(40), names=("fear", "contempt"), votes=votes)
    assert make_splits(everything, config(), 0).notes[-1] == "toy: no picture is mostly contempt"


def test_rare_classes_go_to_train_first() -> None:
    category = np.array([0] * 200 + [1, 2, 2, 3, 3, 3])
    for seed in range(10):
        train = make_splits(stimuli(category), config(), seed).train
        assert set(train.labels.category.tolist()) == {0, 1, 2, 3}  # type: ignore[union-attr]


def test_a_class_of_one_picture_has_it_in_train() -> None:
    category = np.concatenate([np.zeros(300), np.arange(1, 21)])
    for seed in range(5):
        assert len(np.unique(make_splits(stimuli(category), config(), seed).train.labels.category)) == 21  # type: ignore[arg-type]


def test_validation_within_a_fold_is_drawn_by_the_seed() -> None:
    everything = stimuli(n=1000)
    one, other = (set(make_splits(everything, config(folds=5), seed).validation.ids.tolist()) for seed in (1, 2))
    assert len(one & other) < 20


@pytest.mark.parametrize(
    "everything,chosen,error,message",
    [
        (stimuli(n=20), {"folds": 3, "fold": 3}, UsageError, "toy: fold = 3, but folds = 3; write 0 to 2"),
        (stimuli(n=2), {"folds": 3}, DataError, "toy: 2 group(s) cannot be cut into 3 folds"),
        (stimuli(n=2), {}, DataError, "toy: 2 groups cannot be cut into train, validation, test"),
        (stimuli(n=20, groups=["g"] * 20), {}, DataError, "toy: 1 group cannot be cut"),
        (stimuli(n=20), {"validation": 0.5, "test": 0.5}, UsageError, "validation = 0.5, test = 0.5 leave no picture"),
        (stimuli(n=3, split=["train", "val", "test"]), {}, DataError, 'toy: split "val": unknown. Nearest: validation'),
        (stimuli(n=3, split=["test"] * 3), {"validation": 0.0}, DataError, "toy: no picture is left for train"),
    ],
)
def test_what_cannot_be_cut_is_answered(
    everything: Stimuli, chosen: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as found:
        make_splits(everything, config(**chosen), 0)
    assert message in str(found.value)


def test_three_groups_fill_three_splits() -> None:
    groups = ["a"] * 30 + ["b"] * 2 + ["c"]
    splits = make_splits(stimuli(n=33, groups=groups), config(), 0)
    assert {len(part) for part in splits.parts.values()} == {30, 2, 1}
    assert len(splits.train) == 30


def test_notes_and_missing_come_from_the_set() -> None:
    from dataclasses import replace

    splits = make_splits(replace(stimuli(n=20), notes=("read",), missing=3), config(), 0)
    assert splits.notes[0] == "read"
    assert splits.missing == 3
    assert splits.to_json()["missing"] == 3


def test_a_split_file_brings_the_same_splits_back(tmp_path: Path) -> None:
    everything = stimuli(np.arange(50) % 2)
    splits = make_splits(everything, config(), 0)
    splits.write(tmp_path / "split.json")
    again = apply_split(everything.take(np.arange(50)[::-1]), read_split(tmp_path / "split.json"))
    assert again.ids == splits.ids
    assert list(tmp_path.iterdir()) == [tmp_path / "split.json"]
    smaller = everything.take(np.arange(45))
    with pytest.raises(DataError, match=r"toy: 5 picture\(s\) of the split file are not in the set: "):
        apply_split(smaller, read_split(tmp_path / "split.json"))


def test_an_altered_split_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    make_splits(stimuli(n=20), config(), 0).write(path)
    record = json.loads(path.read_text())
    record["splits"]["train"].append(record["splits"]["test"].pop())
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"split.json: altered since it was written"):
        read_split(path)
    path.write_text("{}")
    with pytest.raises(DataError, match=r"split.json: not a split file"):
        read_split(path)
    with pytest.raises(DataError, match=r"none.json: no such file"):
        read_split(tmp_path / "none.json")


def test_a_held_out_slice_keeps_groups_whole() -> None:
    groups = [f"g{i // 3}" for i in range(300)]
    rest, held = cut_off(stimuli(np.arange(300) // 3 % 4, groups=groups), 0.1, seed=0)
    assert len(held) == 30
    assert len(rest) == 270
    assert not set(rest.groups) & set(held.groups)
    with pytest.raises(DataError, match=r"toy: 1 group\(s\); nothing to cut a held-out slice from"):
        cut_off(stimuli(n=5, groups=["g"] * 5), 0.2, seed=0)


def test_groups_can_be_left_out() -> None:
    left = without_groups(stimuli(n=6, groups=list("aabbcc")), np.array(["b", "z"]))
    assert left.ids.tolist() == ["0", "1", "4", "5"]


@given(st.lists(st.floats(-3, 20), min_size=1, max_size=6), st.integers(0, 40))
def test_rounding_keeps_the_sum(ideal: list[float], total: int) -> None:
    counts = round_to_sum(np.array(ideal), total)
    assert counts.sum() == total
    assert counts.min() >= 0


@given(st.integers(1, 60), st.integers(0, 5))
def test_a_stratified_draw_has_the_asked_number(n: int, seed: int) -> None:
    classes = np.arange(60) ** 2 % 7
    rows = draw_stratified(np.arange(60).astype(np.str_), classes, n, seed)
    assert len(rows) == len(set(rows.tolist())) == n
    if n >= len(np.unique(classes)):
        assert set(classes[rows]) == set(classes)


def test_an_even_draw_has_each_class_of_each_split_by_its_share() -> None:
    rows = np.arange(300)
    split, classes = np.where(rows < 200, "train", "test"), rows // 50 % 2
    chosen = draw_evenly(rows.astype(np.str_), split, classes, 30, "any")
    counts = [int(((split == s) & (classes == c))[chosen].sum()) for s in ("train", "test") for c in (0, 1)]
    assert counts == [10, 10, 5, 5]
    assert draw_evenly(rows.astype(np.str_), None, classes, 300, "any").tolist() == rows.tolist()
    assert np.bincount(classes[draw_evenly(rows.astype(np.str_), None, classes, 12, "any")]).tolist() == [6, 6]


def test_a_part_of_no_share_gets_nothing() -> None:
    ids = np.arange(100).astype(np.str_)
    groups = (np.arange(100) // 2).astype(np.str_)
    part = assign(ids, groups, np.zeros(100, dtype=np.int64), np.array([0.8, 0.0, 0.2]), 0)
    assert np.bincount(part, minlength=3).tolist() == [80, 0, 20]


@pytest.mark.skipif(not (Path(os.environ.get("AFFEKT_DATA", "/none")) / "oasis").is_dir(), reason="AFFEKT_DATA: oasis")
def test_oasis_is_cut_by_theme() -> None:
    sizes, means = [], []
    for fold in range(5):
        splits = open_stimuli(DataSettings(name="oasis", folds=5, fold=fold))
        assert not set(splits.test.groups) & set(splits.train.groups)
        sizes.append(len(splits.test))
        means.append(float(splits.test.labels.ratings["valence"].mean()))
    assert sum(sizes) == 900
    assert np.ptp(sizes) <= 4
    assert np.ptp(means) < 0.25
