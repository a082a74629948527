"""FER+: votes, unclear faces, ties, polarity, suffixes, no test folder, and the real set where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import affective_files
import numpy as np
import pytest
from affective_files import ferplus

from affekt.affect import FERPLUS
from affekt.data import dataset
from affekt.errors import DataError, UsageError

FER = dataset("ferplus")
#                                        neu hap sur sad ang dis fea con unk NF
ROWS = [
    ("Training", "fer0000000", (4, 0, 0, 1, 3, 2, 0, 0, 0, 0)),
    ("Training", "", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
    ("Training", "fer0000002", (0, 8, 2, 0, 0, 0, 0, 0, 0, 0)),
    ("Training", "fer0000003", (0, 0, 0, 5, 5, 0, 0, 0, 0, 0)),  # a tie of two emotions, but not of polarity
    ("Training", "fer0000004", (1, 0, 0, 1, 0, 0, 0, 0, 8, 0)),  # mostly unknown
    ("PublicTest", "fer0028638", (0, 1, 9, 0, 0, 0, 0, 0, 0, 0)),  # mostly surprise
    ("PublicTest", "fer0028639", (3, 0, 0, 0, 0, 0, 0, 0, 3, 4)),  # mostly no face
    ("PrivateTest", "fer0032220", (0, 0, 0, 0, 1, 0, 7, 2, 0, 0)),
    ("PrivateTest", "fer0032221", (5, 0, 0, 0, 0, 0, 0, 0, 5, 0)),  # a tie with unknown
]
real = pytest.mark.skipif("AFFEKT_DATA" not in os.environ, reason="AFFEKT_DATA (a folder with ferplus) is not set")


def test_clear_faces_with_the_sets_own_splits(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS), "all", image_size=48)
    assert found.ids.tolist() == ["fer0000000", "fer0000002", "fer0028638", "fer0032220"]
    assert found.split is not None
    assert found.split.tolist() == ["train", "train", "validation", "test"]
    assert found.labels.categories == FERPLUS
    assert found.labels.category is not None
    assert [FERPLUS[c] for c in found.labels.category] == ["neutral", "happiness", "surprise", "fear"]
    assert found.labels.votes is not None
    assert found.labels.votes[0].tolist() == [4, 0, 0, 1, 3, 2, 0, 0]
    assert found.images(np.arange(4)).shape == (4, 3, 48, 48)
    assert "1 rows without a name left out, as the set's authors say" in found.notes
    assert "2 faces mostly unknown or no face left out" in found.notes
    assert "2 faces with a tie or too little agreement left out" in found.notes


def test_unclear_faces_can_stay_without_a_category(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS), "all", ties="keep", unknown="keep")
    assert len(found) == 8
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, 1, -1, -1, 2, -1, 6, -1]
    assert found.labels.votes is not None
    assert found.labels.votes[3].tolist() == [1, 0, 0, 1, 0, 0, 0, 0]


def test_ties_and_unknown_are_two_options(tmp_path: Path) -> None:
    root = ferplus(tmp_path, ROWS)
    assert len(FER.open(root, "all", ties="keep")) == 6
    assert len(FER.open(root, "all", unknown="keep")) == 6


def test_agreement(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS), "all", agreement=0.5)
    assert found.ids.tolist() == ["fer0000002", "fer0028638", "fer0032220"]  # the first has 4 of 10
    assert len(FER.open(tmp_path, "all", agreement=0.4)) == 4


def test_polarity_drops_surprise(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS), "all", classes="polarity")
    assert found.labels.categories == ("negative", "neutral", "positive")
    # fer0000003 has ten negative votes; fer0000000 four neutral and six negative.
    assert found.ids.tolist() == ["fer0000000", "fer0000002", "fer0000003", "fer0032220"]
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, 2, 0, 0]
    assert found.labels.votes is not None
    assert found.labels.votes.tolist() == [[6, 4, 0], [0, 0, 8], [10, 0, 0], [10, 0, 0]]
    assert "1 faces mostly surprise left out" in found.notes


def test_polarity_with_surprise_as_a_class_or_neutral(tmp_path: Path) -> None:
    own = FER.open(ferplus(tmp_path, ROWS), "all", classes="polarity", surprise="own")
    assert own.labels.categories == ("negative", "neutral", "positive", "surprise")
    assert own.labels.votes is not None
    assert own.labels.votes[own.ids.tolist().index("fer0028638")].tolist() == [0, 0, 1, 9]
    neutral = FER.open(tmp_path, "all", classes="polarity", surprise="neutral")
    assert neutral.labels.votes is not None
    assert neutral.labels.votes[neutral.ids.tolist().index("fer0028638")].tolist() == [0, 9, 1]


def test_another_suffix_is_said_once(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS, suffix=".jpg"), "all")
    assert len(found) == 4
    assert [note for note in found.notes if "where the table says" in note] == [
        "pictures are .jpg where the table says .png"
    ]
    assert found.missing == 0


def test_without_a_test_folder_there_is_no_test_split(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, ROWS, test=False), "all")
    assert found.split is not None
    assert set(found.split) == {"train", "validation"}
    assert found.missing == 0
    assert "no folder FER2013Test: no test split (2 rows left out)" in found.notes


def test_the_valid_faces_may_be_the_test_split_where_there_is_no_other(tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    found = FER.open(ferplus(tmp_path / "without", ROWS, test=False), "all", valid="test")
    assert found.split is not None
    assert found.split.tolist() == ["train", "train", "test"]
    assert "FER2013Valid is the test split" in found.notes
    with pytest.raises(DataError, match="FER2013Test is there"):
        FER.open(ferplus(tmp_path / "with", ROWS), "all", valid="test")


def test_faces_without_a_class_can_be_left_out_before_anything_is_cut(tmp_path: Path) -> None:
    root = ferplus(tmp_path, ROWS)
    every = FER.open(root, "all", valence_as="two-classes", ties="keep", unknown="keep")
    found = FER.open(root, "all", valence_as="two-classes", ties="keep", unknown="keep", without_class="drop")
    assert every.labels.category is not None and found.labels.category is not None
    assert len(found) == int((every.labels.category >= 0).sum()) < len(every)
    assert (found.labels.category >= 0).all()
    assert f"ferplus: {len(every) - len(found)} of {len(every)} pictures have no class and are left out" in found.notes


def test_a_missing_face(tmp_path: Path) -> None:
    root = ferplus(tmp_path, ROWS)
    (root / "FER2013Valid" / "fer0028638.png").unlink()
    with pytest.raises(DataError, match=r"ferplus: 1 of 8 pictures missing \(first: fer0028638\.png\)"):
        FER.open(root, "all")
    assert FER.open(root, "all", allow_missing=True).missing == 1


def test_a_row_that_repeats_another_is_left_out_and_one_that_contradicts_is_an_error(tmp_path: Path) -> None:
    found = FER.open(ferplus(tmp_path, [*ROWS, ROWS[0]]), "all")
    assert len(found) == 4
    assert "1 rows that repeat another one left out" in found.notes
    with pytest.raises(
        DataError, match=r"1 picture\(s\) stand more than once: fer0000000\.png; rows of one face must agree"
    ):
        FER.open(ferplus(tmp_path, [*ROWS, ("Training", "fer0000000", ROWS[2][2])]), "all")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("Testing", "fer1", (10, *[0] * 9)), r'usage "Testing" is none of Training, PublicTest, PrivateTest'),
        (("Training", "fer1", (0,) * 10), r"1 row\(s\) with votes that sum to zero \(line 11\)"),
        (("Training", "fer1", (-1, 11, *[0] * 8)), r"1 row\(s\) with negative or infinite votes \(line 11\)"),
    ],
)
def test_a_wrong_row(
    tmp_path: Path, row: tuple[str, str, tuple[int, ...]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(affective_files.FERPLUS_FOLDERS, "Testing", "FER2013Train")
    with pytest.raises(DataError, match=message):
        FER.open(ferplus(tmp_path, [*ROWS, row]), "all")


def test_a_wrong_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'option ties "dropp": unknown\. Nearest: drop'):
        FER.open(ferplus(tmp_path, ROWS), "all", ties="dropp")


@real
def test_the_real_set() -> None:
    root = Path(os.environ["AFFEKT_DATA"]) / "ferplus"
    everyone = FER.open(root, "all", ties="keep", unknown="keep")
    assert everyone.split is not None
    counts = {name: int((everyone.split == name).sum()) for name in ("train", "validation")}
    assert counts == {"train": 28558, "validation": 3579}
    assert everyone.missing == 0
    clear = FER.open(root, "all")
    assert len(clear) < len(everyone)
    assert clear.labels.category is not None
    assert (clear.labels.category >= 0).all()
