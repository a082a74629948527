"""Abstract: single quotes, an empty header cell, votes by name, ties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affective_files import abstract

from affekt.affect import MIKELS
from affekt.data import dataset
from affekt.errors import DataError, UsageError

ABSTRACT = dataset("abstract")
#                             Amu Ang Awe Con Dis Exc Fea Sad
ROWS = [
    ("abstract_0001.jpg", (0, 1, 2, 7, 0, 3, 0, 1)),
    ("abstract_0002.jpg", (0, 0, 0, 0, 0, 0, 4, 4)),
    ("abstract_0007.jpg", (0, 0, 0, 0, 1, 0, 0, 9)),
]


@pytest.mark.parametrize("header", ["", "''"])
def test_votes_are_mapped_by_name(tmp_path: Path, header: str) -> None:
    found = ABSTRACT.open(abstract(tmp_path, ROWS, header), "all", image_size=8)
    assert found.labels.categories == MIKELS
    assert found.labels.votes is not None
    assert found.labels.votes.tolist() == [
        # amusement awe contentment excitement anger disgust fear sadness
        [0, 2, 7, 3, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 4, 4],
        [0, 0, 0, 0, 0, 1, 0, 9],
    ]
    assert found.labels.category is not None
    assert [MIKELS[c] if c >= 0 else None for c in found.labels.category] == ["contentment", None, "sadness"]
    assert found.ids.tolist() == ["abstract_0001", "abstract_0002", "abstract_0007"]
    assert found.images(np.arange(3)).shape == (3, 3, 8, 8)


def test_majority_leaves_ties_out(tmp_path: Path) -> None:
    found = ABSTRACT.open(abstract(tmp_path, ROWS), "all", label="majority")
    assert found.ids.tolist() == ["abstract_0001", "abstract_0007"]
    assert found.labels.votes is None
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [MIKELS.index("contentment"), MIKELS.index("sadness")]
    assert "1 pictures with a tie for the first place left out" in found.notes


def test_another_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'option label "vote": unknown\. Nearest: votes'):
        ABSTRACT.open(abstract(tmp_path, ROWS), "all", label="vote")


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ((0,) * 8, r"1 row\(s\) with votes that sum to zero \(line 5\); drop them"),
        ((0, 0, 0, 0, 0, -1, 3, 0), r"1 row\(s\) with negative or infinite votes \(line 5\)"),
        ((0, 0, 0, 0, 0, 0.5, 3, 0), r"1 row\(s\) with votes that are no counts \(line 5\); write whole numbers"),
    ],
)
def test_votes_that_cannot_be(tmp_path: Path, votes: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ABSTRACT.open(abstract(tmp_path, [*ROWS, ("abstract_0008.jpg", votes)]), "all")


def test_a_missing_emotion_is_named(tmp_path: Path) -> None:
    root = abstract(tmp_path, ROWS)
    table = root / "ABSTRACT_groundTruth.csv"
    table.write_text(table.read_text().replace("'Awe'", "'Amused'"))
    with pytest.raises(DataError, match=r"ABSTRACT_groundTruth\.csv: no column for awe\. Found: \(empty\), Amusement"):
        ABSTRACT.open(root, "all")
    table.write_text(table.read_text().replace("'Amused'", "'Wonder'"))
    with pytest.raises(DataError, match=r'ABSTRACT_groundTruth\.csv: emotion category "Wonder": unknown'):
        ABSTRACT.open(root, "all")


def test_a_missing_picture(tmp_path: Path) -> None:
    root = abstract(tmp_path, ROWS)
    (root / "abstract_0001.jpg").unlink()
    with pytest.raises(DataError, match=r"abstract: 1 of 3 pictures missing \(first: abstract_0001\.jpg\)"):
        ABSTRACT.open(root, "all")
    found = ABSTRACT.open(root, "all", allow_missing=True, label="majority")
    assert (found.ids.tolist(), found.missing) == (["abstract_0007"], 1)
