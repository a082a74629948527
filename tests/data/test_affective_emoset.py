"""EmoSet: lists a split, emotions by name, two classes, attributes on request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from affective_files import EMOSET_ORDER, emoset

from affekt.affect import MIKELS
from affekt.data import dataset
from affekt.errors import DataError, UsageError

EMOSET = dataset("emoset")
ITEMS = {
    "train": [("amusement", "amusement_00001"), ("sadness", "sadness_00002"), ("anger", "anger_00003")],
    "val": [("contentment", "contentment_00004")],
    "test": [("fear", "fear_00005")],
}
ATTRIBUTES = {
    "amusement_00001": {"scene": "beach", "brightness": 0.7, "colorfulness": 0.3, "object": ["Dog", "Person"]},
    "sadness_00002": {"facial_expression": "sad", "human_action": "crying"},
    "contentment_00004": {"object": [], "brightness": 0.0},
}


def edit(root: Path, split: str, row: list[object]) -> Path:
    path = root / f"{split}.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), row]))
    return root


def test_the_sets_own_splits_and_emotions(tmp_path: Path) -> None:
    found = EMOSET.open(emoset(tmp_path, ITEMS), "all", image_size=8)
    assert found.ids.tolist() == [name for items in ITEMS.values() for _, name in items]
    assert found.split is not None
    assert found.split.tolist() == ["train", "train", "train", "validation", "test"]
    assert found.labels.categories == MIKELS == EMOSET_ORDER
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, 7, 4, 2, 6]
    assert dict(found.labels.extra) == {}
    assert found.images(np.arange(5)).shape == (5, 3, 8, 8)


def test_mapped_by_name_whatever_the_numbers(tmp_path: Path) -> None:
    found = EMOSET.open(emoset(tmp_path, ITEMS, order=sorted(EMOSET_ORDER)), "all")
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, 7, 4, 2, 6]


def test_two_classes_with_positive_first(tmp_path: Path) -> None:
    found = EMOSET.open(emoset(tmp_path, ITEMS), "all", classes=2)
    assert found.labels.categories == ("positive", "negative")
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, 1, 1, 0, 1]


def test_another_number_of_classes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'emoset: option classes "6": unknown.*All: 2, 8'):
        EMOSET.open(emoset(tmp_path, ITEMS), "all", classes=6)


def test_attributes_where_there_are_any(tmp_path: Path) -> None:
    found = EMOSET.open(emoset(tmp_path, ITEMS, annotations=ATTRIBUTES), "all", annotations=True)
    extra = found.labels.extra
    assert extra["scene"].tolist() == ["beach", "", "", "", ""]
    assert extra["facial_expression"].tolist() == ["", "sad", "", "", ""]
    assert extra["human_action"].tolist() == ["", "crying", "", "", ""]
    assert extra["object"].tolist() == ["Dog;Person", "", "", "", ""]
    np.testing.assert_allclose(extra["brightness"].astype(float), [0.7, np.nan, np.nan, 0.0, np.nan], rtol=1e-6)
    np.testing.assert_allclose(extra["colorfulness"].astype(float), [0.3, *[np.nan] * 4], rtol=1e-6)
    assert "2 of 5 annotations missing; their attributes are empty" in found.notes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ["anger", "a1", "image/fear/a1.jpg", "annotation/anger/a1.json"],
            r'train.json: entry 3 is "anger", but lies in image/fear/a1.jpg',
        ),
        (["joy", "j1", "image/joy/j1.jpg", "annotation/joy/j1.json"], r'entry 3: emotion "joy" is not in info\.json'),
        (
            ["fear", "fear_00005", "image/fear/fear_00005.jpg", "annotation/fear/x.json"],
            r"two lists: fear_00005 \(train, test\)",
        ),
        (
            ["anger", "anger_00003", "image/anger/anger_00003.jpg", "annotation/anger/x.json"],
            "1 picture.s. stand twice in a list",
        ),
        (
            ["anger", "a1", "../anger/a1.jpg", "annotation/anger/a1.json"],
            r'entry 3: "\.\./anger/a1\.jpg" leads out of the set',
        ),
        (["anger", "a1", "image/anger/a1.jpg"], r"entry 3 is not \[emotion, id, picture, annotation\]"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, row: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        EMOSET.open(edit(emoset(tmp_path, ITEMS), "train", row), "all")


def test_a_missing_list_or_picture(tmp_path: Path) -> None:
    root = emoset(tmp_path, ITEMS)
    (root / "image" / "fear" / "fear_00005.jpg").unlink()
    with pytest.raises(DataError, match=r"emoset: 1 of 5 pictures missing \(first: image/fear/fear_00005\.jpg\)"):
        EMOSET.open(root, "all")
    found = EMOSET.open(root, "all", allow_missing=True, annotations=True)
    assert (len(found), found.missing) == (4, 1)
    (root / "val.json").unlink()
    with pytest.raises(
        DataError, match=r"no .*val\.json; the folder must hold info\.json, train\.json, val\.json, test\.json"
    ):
        EMOSET.open(root, "all")


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"emotion": {"label2idx": dict.fromkeys(MIKELS, 0)}}, r"does not number Mikels' eight emotions"),
        ({"emotion": {"label2idx": {"joy": 0}}}, r"info\.json does not number Mikels' eight emotions \(amusement, "),
        ({"scene": {}}, r'info\.json has no numbers under "emotion", "label2idx"'),
    ],
)
def test_info_that_disagrees(tmp_path: Path, info: object, message: str) -> None:
    root = emoset(tmp_path, ITEMS)
    (root / "info.json").write_text(json.dumps(info))
    with pytest.raises(DataError, match=message):
        EMOSET.open(root, "all")


def test_a_broken_list(tmp_path: Path) -> None:
    root = emoset(tmp_path, ITEMS)
    (root / "test.json").write_text('[["fear",')
    with pytest.raises(DataError, match=r"emoset: test\.json is not readable as JSON"):
        EMOSET.open(root, "all")
