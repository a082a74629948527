"""OASIS: its odd table, its theme stems, and the real set where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from affective_files import oasis

from affekt.affect import RatingScale
from affekt.data import dataset
from affekt.data.affective.oasis import theme_stem
from affekt.errors import DataError

OASIS = dataset("oasis")
ROWS = [
    "Dog 1,Animal,Pixabay,6.5,1.1,100,4.5,1.7,101",
    "Dog 12 ,Animal,Pixabay,5.5,1.2,102,4.0,1.6,103",
    "Lake 1,Scenery,Pixabay,6.0,0.9,104,2.0,1.5,105",
    "Car crash 2,Object,Wikipedia,1.75,0.8,106,5.25,1.4,107",
]
real = pytest.mark.skipif("AFFEKT_DATA" not in os.environ, reason="AFFEKT_DATA (a folder with oasis) is not set")


def test_carriage_returns_and_a_trailing_blank(tmp_path: Path) -> None:
    found = OASIS.open(oasis(tmp_path, ROWS), "all", image_size=8)
    assert found.ids.tolist() == ["Dog 1", "Dog 12", "Lake 1", "Car crash 2"]
    assert found.groups.tolist() == ["dog", "dog", "lake", "car crash"]
    assert found.split is None
    assert found.images(np.arange(4)).shape == (4, 3, 8, 8)


def test_labels(tmp_path: Path) -> None:
    labels = OASIS.open(oasis(tmp_path, ROWS), "all").labels
    assert labels.scale == RatingScale(1, 7)
    assert labels.ratings["valence"].tolist() == [6.5, 5.5, 6.0, 1.75]
    assert labels.ratings["arousal"].tolist() == [4.5, 4.0, 2.0, 5.25]
    np.testing.assert_allclose(labels.rating_sd["arousal"], [1.7, 1.6, 1.5, 1.4], rtol=1e-6)
    assert labels.rating_n["valence"].tolist() == [100, 102, 104, 106]
    assert labels.extra["theme_category"].tolist() == ["animal", "animal", "scenery", "object"]
    assert labels.category is None


@pytest.mark.parametrize(
    ("theme", "stem"),
    [("Dog 1", "dog"), ("Dog 31 ", "dog"), ("Nude couple 4", "nude couple"), ("Sun2", "sun"), ("BMX", "bmx")],
)
def test_theme_stem(theme: str, stem: str) -> None:
    assert theme_stem(theme) == stem


def test_a_missing_picture_is_named_or_counted(tmp_path: Path) -> None:
    root = oasis(tmp_path, ROWS)
    (root / "images" / "Lake 1.jpg").unlink()
    with pytest.raises(
        DataError,
        match=r"oasis: 1 of 4 pictures missing \(first: images/Lake 1\.jpg\).*--set affective\.allow_missing=true",
    ):
        OASIS.open(root, "all")
    found = OASIS.open(root, "all", allow_missing=True)
    assert found.ids.tolist() == ["Dog 1", "Dog 12", "Car crash 2"]
    assert found.labels.ratings["valence"].tolist() == [6.5, 5.5, 1.75]
    assert found.missing == 1
    assert any("1 of 4 pictures missing, left out" in note for note in found.notes)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "Owl 1,Animal,Pixabay,7.5,1,100,4,1,100",
            r"oasis: valence: 1 rating\(s\) outside the scale 1 to 7 \(first: 7.5\)",
        ),
        (
            "Owl 1,Bird,Pixabay,6.5,1,100,4,1,100",
            r'OASIS.csv: category "bird" is none of person, animal, object, scenery',
        ),
        (
            "Owl 1,Animal,Pixabay,high,1,100,4,1,100",
            r'column "Valence_mean": 1 cell\(s\) are no numbers \(first: "high", line 6\)',
        ),
        ("Dog 1,Animal,Pixabay,5,1,100,4,1,100", r"OASIS.csv: 1 picture\(s\) stand more than once: Dog 1"),
        ("Owl 1,Animal,Pixabay,6.5", r"line 6 has 5 cells, the header 10"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        OASIS.open(oasis(tmp_path, [*ROWS, row]), "all")


def test_another_table_names_the_column_it_lacks(tmp_path: Path) -> None:
    root = oasis(tmp_path, ROWS)
    text = (root / "OASIS.csv").read_text().replace("Valence_mean", "Valenz")
    (root / "OASIS.csv").write_text(text)
    with pytest.raises(DataError, match=r'no column "Valence_mean"\. Nearest: .*Found: \(empty\), Theme, Category'):
        OASIS.open(root, "all")


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"OASIS\.csv: no such table"):
        OASIS.open(tmp_path, "all")


@real
def test_the_real_set() -> None:
    found = OASIS.open(Path(os.environ["AFFEKT_DATA"]) / "oasis", "all")
    assert len(found) == OASIS.expected == 900
    assert len(np.unique(found.groups)) == 248
    assert found.missing == 0
    valence = found.labels.ratings["valence"]
    assert (round(float(valence.mean()), 2), round(float(valence.std(ddof=1)), 2)) == (4.33, 1.23)
    names, counts = np.unique(found.labels.extra["theme_category"], return_counts=True)
    assert names.tolist() == ["animal", "object", "person", "scenery"]
    assert counts.sum() == 900


@real
def test_no_theme_of_the_real_set_stands_in_two_splits() -> None:
    root = Path(os.environ["AFFEKT_DATA"]) / "oasis"
    parts = {name: set(OASIS.open(root, name, seed=3).groups) for name in ("train", "validation", "test")}
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]
