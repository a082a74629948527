"""Class folders of emotions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affective_files import pictures

from affekt.data import dataset
from affekt.errors import DataError, UsageError

FOLDER = dataset("affective-folder")


def test_folders_become_canonical_emotions_in_the_order_of_their_family(tmp_path: Path) -> None:
    pictures(tmp_path / "Sad", ["a.jpg", "b.png"])
    pictures(tmp_path / "awe", ["c.jpg"])
    pictures(tmp_path / "content", ["d.jpg"])
    found = FOLDER.open(tmp_path, "all", image_size=8)
    assert found.labels.categories == ("awe", "contentment", "sadness")
    assert found.labels.category is not None
    by_id = dict(zip(found.ids.tolist(), found.labels.category.tolist(), strict=True))
    assert by_id == {"Sad/a.jpg": 2, "Sad/b.png": 2, "awe/c.jpg": 0, "content/d.jpg": 1}
    assert found.split is None
    assert found.groups.tolist() == found.ids.tolist()
    assert found.images(np.arange(4)).shape == (4, 3, 8, 8)


def test_two_spellings_are_one_emotion(tmp_path: Path) -> None:
    pictures(tmp_path / "joy", ["a.jpg"])
    pictures(tmp_path / "happy", ["b.jpg"])
    pictures(tmp_path / "fear", ["c.jpg"])
    found = FOLDER.open(tmp_path, "all")
    assert found.labels.categories == ("fear", "happiness")
    assert found.labels.category is not None
    assert sorted(found.labels.category.tolist()) == [0, 1, 1]


def test_split_folders(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        pictures(tmp_path / split / "fear", [f"{split}1.jpg"])
        pictures(tmp_path / split / "awe", [f"{split}2.jpg"])
    found = FOLDER.open(tmp_path, "all")
    assert found.split is not None
    assert sorted(found.split.tolist()) == ["test"] * 2 + ["train"] * 2 + ["validation"] * 2


def test_a_folder_that_is_no_emotion(tmp_path: Path) -> None:
    pictures(tmp_path / "sadnes", ["a.jpg"])
    pictures(tmp_path / "fear", ["b.jpg"])
    with pytest.raises(DataError, match=r'affective-folder: .*emotion category "sadnes": unknown\. Nearest: sadness'):
        FOLDER.open(tmp_path, "all")


def test_a_folder_without_a_picture(tmp_path: Path) -> None:
    pictures(tmp_path / "awe", ["a.jpg"])
    (tmp_path / "fear").mkdir()
    with pytest.raises(DataError, match=r"no picture in the class folder .*fear"):
        FOLDER.open(tmp_path, "all")


def people(root: Path) -> Path:
    for emotion in ("fear", "awe"):
        pictures(root / emotion, [f"s{person}_{emotion}_{take}.jpg" for person in range(1, 7) for take in (1, 2)])
    return root


def test_groups_by_a_pattern_stay_whole(tmp_path: Path) -> None:
    found = FOLDER.open(people(tmp_path), "all", group=r"(s\d+)_")
    assert sorted(set(found.groups)) == ["s1", "s2", "s3", "s4", "s5", "s6"]
    train = FOLDER.open(tmp_path, "train", group=r"(s\d+)_")
    test = FOLDER.open(tmp_path, "test", group=r"(s\d+)_")
    assert not set(train.groups) & set(test.groups)
    assert set(FOLDER.open(tmp_path, "all", group=r"s\d").groups) == set(found.groups)


def test_patterns_that_do_not_work(tmp_path: Path) -> None:
    people(tmp_path)
    with pytest.raises(UsageError, match=r'option group = "\(s": no regular expression'):
        FOLDER.open(tmp_path, "all", group="(s")
    with pytest.raises(DataError, match=r'group = "person" finds nothing in 24 name\(s\): awe/s1_awe_1\.jpg'):
        FOLDER.open(tmp_path, "all", group="person")
