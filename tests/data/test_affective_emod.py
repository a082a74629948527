"""EMOd: a MATLAB table joined with the pictures that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affective_files import emod, picture, pictures
from scipy.io import savemat

from affekt.affect import RatingScale
from affekt.data import dataset
from affekt.errors import DataError, UsageError

EMOD = dataset("emod")
NAMES = ["Joy", "sad", "fear", "anger", "disgust", "surprise", "awe", "neutral", "nostalgia"]


def test_joined_by_number_and_the_absent_are_counted(tmp_path: Path) -> None:
    found = EMOD.open(emod(tmp_path, [3, 12, 700, 1019], present=[12, 1019]), "all", image_size=8)
    assert found.ids.tolist() == ["12", "1019"]
    assert found.groups.tolist() == found.ids.tolist()
    assert found.missing == 2
    assert any("2 of 4 pictures missing, left out (first: 3.jpg, 700.jpg)" in note for note in found.notes)
    assert found.images(np.arange(2)).shape == (2, 3, 8, 8)


def test_ratings_and_weights_stand_in_their_columns(tmp_path: Path) -> None:
    labels = EMOD.open(emod(tmp_path, [3, 12, 700], present=[3, 12, 700]), "all").labels
    assert labels.ratings["valence"].tolist() == [1, 2, 3]
    assert labels.ratings["arousal"].tolist() == [2, 3, 4]
    assert labels.ratings["dominance"].tolist() == [3, 4, 5]
    assert labels.scale == RatingScale(1, 9)
    assert labels.votes is not None
    assert labels.votes.tolist() == np.eye(9)[:3].tolist()
    assert labels.category is not None
    assert labels.category.tolist() == [0, 1, 2]


def test_unnamed_emotions_are_numbered_and_said_so(tmp_path: Path) -> None:
    found = EMOD.open(emod(tmp_path, [1], present=[1]), "all")
    assert found.labels.categories == tuple(f"emotion {i}" for i in range(1, 10))
    assert any("name them with option emotion_names" in note for note in found.notes)


def test_named_emotions_are_made_canonical_where_they_are_known(tmp_path: Path) -> None:
    found = EMOD.open(emod(tmp_path, [1], present=[1]), "all", emotion_names=NAMES)
    assert found.labels.categories[:2] == ("happiness", "sadness")
    assert found.labels.categories[-1] == "nostalgia"
    assert not any("emotion_names" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "message"),
    [(NAMES[:8], "emotion_names has 8 names; write nine"), ([*NAMES[:8], "happy"], r"each name once")],
)
def test_names_that_do_not_fit(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EMOD.open(emod(tmp_path, [1], present=[1]), "all", emotion_names=names)


@pytest.mark.parametrize("folder", ["Continous_map", "Continuous_map"])
def test_fixation_maps_where_there_are_any(tmp_path: Path, folder: str) -> None:
    root = emod(tmp_path, [3, 12], present=[3, 12])
    assert EMOD.open(root, "all").labels.extra["fixation_map"].tolist() == ["", ""]
    picture(root / "FixationMap" / folder / "12.jpg")
    assert EMOD.open(root, "all").labels.extra["fixation_map"].tolist() == ["", f"FixationMap/{folder}/12.jpg"]


def test_other_suffixes_and_strays(tmp_path: Path) -> None:
    root = emod(tmp_path, [3, 12], present=[3])
    pictures(root / "EMOdImages1019", ["0012.JPEG", "55.jpg", "cover.png"])
    found = EMOD.open(root, "all")
    assert found.ids.tolist() == ["3", "12"]
    assert any("1 pictures have no row in allfindata1019_renamed.mat, left out: 55.jpg" in note for note in found.notes)


def test_no_picture_at_all(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"emod: none of its 2 pictures found \(first: 1\.jpg, 2\.jpg\); looked in .*EMOdImages1019"
    ):
        EMOD.open(emod(tmp_path, [1, 2], present=[]), "all", allow_missing=True)


def rewrite(root: Path, table: object, name: str = "allfindata1019") -> Path:
    savemat(root / "allfindata1019_renamed.mat", {name: table})
    return root


def good(rows: int = 2) -> np.ndarray:
    table = np.full((rows, 15), 2.0)
    table[:, 0] = np.arange(1, rows + 1)
    return table


def wrong(row: int, column: int, value: float) -> np.ndarray:
    table = good()
    table[row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (good()[:, :14], r"allfindata1019 is \(2, 14\) float64; \(N, 15 or more\) numbers wanted"),
        (wrong(0, 0, 1.5), r"1 id\(s\) are no whole numbers \(first: row 0\)"),
        (wrong(0, 0, 2), r"1 id\(s\) stand twice: 2"),
        (wrong(1, 3, 11), r'valence \(option scale = "1-9"\): 1 rating\(s\) outside the scale 1 to 9 \(first: 11\)'),
        (wrong(1, 9, -1), r"1 row\(s\) with emotion weights below zero or missing \(row 1\)"),
    ],
)
def test_a_table_that_is_not_as_published(tmp_path: Path, table: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        EMOD.open(rewrite(emod(tmp_path, [1, 2], present=[1, 2]), table), "all")


def test_weights_that_are_all_zero_are_no_category(tmp_path: Path) -> None:
    table = good()
    table[0, 6:] = 0
    table[1, 8] = 5
    found = EMOD.open(rewrite(emod(tmp_path, [1, 2], present=[1, 2]), table), "all")
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [-1, 2]


def test_another_scale(tmp_path: Path) -> None:
    root = rewrite(emod(tmp_path, [1, 2], present=[1, 2]), wrong(0, 3, 0))
    assert EMOD.open(root, "all", scale="0..10").labels.scale == RatingScale(0, 10)


def test_another_file(tmp_path: Path) -> None:
    root = emod(tmp_path, [1], present=[1])
    with pytest.raises(DataError, match=r'has no variable "allfindata1019"; found: other'):
        EMOD.open(rewrite(root, good(), "other"), "all")
    (root / "allfindata1019_renamed.mat").write_bytes(b"not a table" * 40)
    with pytest.raises(DataError, match=r"allfindata1019_renamed\.mat cannot be read"):
        EMOD.open(root, "all")
    (root / "allfindata1019_renamed.mat").unlink()
    with pytest.raises(
        DataError, match=r"the folder must hold allfindata1019_renamed.mat and EMOdImages1019/<number>.jpg"
    ):
        EMOD.open(root, "all")
