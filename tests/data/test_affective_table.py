"""A table of one's own: wide and long, csv and parquet, and everything that can be wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affective_files import pictures, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.affect import MIKELS, RatingScale
from affekt.data import dataset
from affekt.data.stimuli import Stimuli
from affekt.errors import AffektError, DataError, UsageError

TABLE = dataset("table")
WIDE = [
    ("path", "emotion", "valence", "valence_sd", "valence_n", "arousal", "group", "split"),
    ("p/a.jpg", "Sad", "2.5", "1.5", "20", "6", "one", "train"),
    ("p/b.jpg", "joy", "8", "0.5", "21", "", "one", "train"),
    ("p/c.jpg", "", "5", "", "", "3", "", "val"),
    ("p/d.jpg", "fear", "1", "2", "19", "9", "two", "test"),
]


def folder(root: Path, rows: list[tuple[Any, ...]], present: bool = True, delimiter: str = ",") -> Path:
    write_csv(root / "ratings.csv", rows, delimiter)
    if present:
        column = [str(name).lower() for name in rows[0]].index("path") if "path" in rows[0] else 0
        pictures(root, {str(row[column]) for row in rows[1:]})
    return root


def opened(root: Path, **options: Any) -> Stimuli:
    return TABLE.open(root, "all", **options)


def refused(root: Path, **options: Any) -> str:
    with pytest.raises(AffektError) as caught:
        opened(root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------ wide


def test_everything_in_one_table(tmp_path: Path) -> None:
    found = opened(folder(tmp_path, WIDE), scale="1-9", image_size=8)
    labels = found.labels
    assert found.ids.tolist() == ["p/a.jpg", "p/b.jpg", "p/c.jpg", "p/d.jpg"]
    assert labels.categories == ("fear", "happiness", "sadness")
    assert labels.category is not None
    assert labels.category.tolist() == [2, 1, -1, 0]
    assert labels.ratings["valence"].tolist() == [2.5, 8, 5, 1]
    np.testing.assert_array_equal(labels.ratings["arousal"], np.float32([6, np.nan, 3, 9]))
    np.testing.assert_array_equal(labels.rating_sd["valence"], np.float32([1.5, 0.5, np.nan, 2]))
    np.testing.assert_array_equal(labels.rating_n["valence"], np.float32([20, 21, np.nan, 19]))
    assert labels.scale == RatingScale(1, 9)
    assert found.groups.tolist() == ["one", "one", "p/c.jpg", "two"]
    assert found.split is not None
    assert found.split.tolist() == ["train", "train", "validation", "test"]
    assert found.images(np.arange(4)).shape == (4, 3, 8, 8)
    assert any(
        'pictures from "path"; emotion from "emotion"; valence, arousal on 1 to 9' in note for note in found.notes
    )


def test_the_table_itself_as_root_and_one_of_several(tmp_path: Path) -> None:
    folder(tmp_path, WIDE)
    assert len(opened(tmp_path / "ratings.csv", scale="1-9")) == 4
    write_csv(tmp_path / "other.csv", WIDE[:2])
    assert refused(tmp_path, scale="1-9").endswith(
        'holds several: other.csv, ratings.csv; name the table: options.file = "ratings.csv"'
    )
    assert len(opened(tmp_path, file="other.csv", scale="1-9")) == 1
    (tmp_path / "empty").mkdir()
    assert "holds no .csv, .tsv, .txt or .parquet" in refused(tmp_path / "empty")
    assert "absent.csv: no such table" in refused(tmp_path, file="absent.csv")


def test_columns_of_other_names(tmp_path: Path) -> None:
    rows = [("IAPS", "valmn", "valsd", "slide"), ("x.jpg", "7.5", "1.2", "x.jpg"), ("y.jpg", "2", "1", "y.jpg")]
    root = folder(tmp_path, rows)
    found = opened(root, path="slide", valence="valmn", valence_sd="valsd", scale="1..9", group="iaps")
    assert found.labels.ratings["valence"].tolist() == [7.5, 2]
    assert found.labels.rating_sd["valence"].tolist() == pytest.approx([1.2, 1])
    assert found.groups.tolist() == ["x.jpg", "y.jpg"]
    assert (
        refused(root, path="slide", valence="valm")
        == 'ratings.csv: no column "valm". Nearest: valmn, valsd. Found: IAPS, valmn, valsd, slide'
    )
    assert refused(root).startswith('ratings.csv: no column "path". ')
    assert refused(root, path="slide").startswith("ratings.csv: no column says what people felt: emotion, votes")


@pytest.mark.parametrize("header", ["image", "Filename", "file", "picture", "PATH"])
def test_names_for_the_picture(tmp_path: Path, header: str) -> None:
    assert opened(folder(tmp_path, [(header, "valence_mean"), ("x.jpg", 3)]), scale="1-9").ids.tolist() == ["x.jpg"]


def test_ratings_need_a_scale(tmp_path: Path) -> None:
    root = folder(tmp_path, WIDE)
    message = (
        "ratings.csv: ratings without a scale; write the one they were given on: --option scale=1-9 "
        '(in a recipe: options.scale = "1-9")'
    )
    assert refused(root) == message
    assert refused(root, scale="nine").startswith('scale "nine": write two numbers as "1..9"')
    assert refused(root, scale="1-7") == (
        'ratings.csv: column "valence": 1 rating(s) outside the scale 1 to 7 (first: 8); '
        "state the scale they were given on"
    )


def test_a_table_of_emotions_needs_none(tmp_path: Path) -> None:
    found = opened(folder(tmp_path, [("path", "emotion"), ("a.jpg", "awe"), ("b.jpg", "content")]))
    assert found.labels.categories == ("awe", "contentment")
    assert found.labels.scale is None
    assert found.split is None


def test_an_unknown_emotion_names_its_line(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "emotion"), ("a.jpg", "awe"), ("b.jpg", "joyful")])
    message = refused(root)
    assert message.startswith('ratings.csv: line 3: emotion category "joyful": unknown')
    assert message.endswith('or name it: aliases = ["joyful=<emotion>"]')
    found = opened(root, aliases=["Joyful=happy"])
    assert found.labels.categories == ("awe", "happiness")
    assert "write name=emotion" in refused(root, aliases=["joyful"])
    assert 'emotion category "glee": unknown' in refused(root, aliases=["joyful=glee"])


def test_categories_in_the_users_order(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "emotion"), ("a.jpg", "awe"), ("b.jpg", "fear")])
    found = opened(root, categories=["sad", "fear", "awe"])
    assert found.labels.categories == ("sadness", "fear", "awe")
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [2, 1]
    assert (
        refused(root, categories=["fear", "sad"])
        == "ratings.csv: awe occur(s), but option categories lists fear, sadness"
    )


# ------------------------------------------------------------------------------------------------ votes

VOTES = [("path", "Sad", "Amusement", "Content"), ("a.jpg", 1, 5, 0), ("b.jpg", 3, 0, 3), ("c.jpg", "", "", "")]


def test_votes_in_columns_called_like_emotions(tmp_path: Path) -> None:
    labels = opened(folder(tmp_path, VOTES)).labels
    assert (
        labels.categories
        == ("amusement", "contentment", "sadness")
        == tuple(n for n in MIKELS if n in labels.categories)
    )
    assert labels.votes is not None
    assert labels.votes.tolist() == [[5, 0, 1], [0, 3, 3], [0, 0, 0]]
    assert labels.category is not None
    assert labels.category.tolist() == [0, -1, -1]


def test_votes_by_prefix_or_by_option(tmp_path: Path) -> None:
    rows = [("path", "votes_fear", "votes_awe", "anger", "x"), ("a.jpg", 1, 3, 9, 2)]
    root = folder(tmp_path, rows)
    labels = opened(root).labels
    assert labels.votes is not None
    assert (labels.categories, labels.votes.tolist()) == (("awe", "fear"), [[3, 1]])
    labels = opened(root, votes=["x=sad", "anger=anger"]).labels
    assert labels.votes is not None
    assert (labels.categories, labels.votes.tolist()) == (("anger", "sadness"), [[9, 2]])
    assert refused(root, votes=["y=sad"]).startswith('ratings.csv: no column "y"')
    assert refused(root, votes=["x=sad", "anger=sad"]) == (
        "ratings.csv: columns x, anger are all votes for sadness; name one by votes"
    )
    assert refused(root, votes=["none"]).startswith("ratings.csv: no column says what people felt")


def test_votes_for_no_emotion(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "votes_fear", "votes_other"), ("a.jpg", 1, 3)])
    assert 'emotion category "other": unknown' in refused(root)
    assert 'or list the columns: votes = ["<column>=<emotion>", ...]' in refused(root)


def test_an_emotion_column_beside_votes(tmp_path: Path) -> None:
    rows = [("path", "emotion", "fear", "awe"), ("a.jpg", "fear", 1, 3), ("b.jpg", "anger", 0, 2)]
    labels = opened(folder(tmp_path, rows)).labels
    assert labels.categories == ("awe", "anger", "fear")
    assert labels.category is not None
    assert labels.category.tolist() == [2, 1]
    assert labels.votes is not None
    assert labels.votes.tolist() == [[3, 0, 1], [2, 0, 0]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("z.jpg", 0, 0, 0),
            "ratings.csv: 1 row(s) with votes that sum to zero (line 5); drop them, or leave the cells empty",
        ),
        (
            ("z.jpg", -1, 2, 0),
            "ratings.csv: 1 row(s) with negative or infinite votes (line 5); votes are counts or shares",
        ),
        (("z.jpg", "inf", 2, 0), "ratings.csv: 1 row(s) with negative or infinite votes (line 5)"),
        (("z.jpg", "many", 2, 0), 'ratings.csv: column "Sad": 1 cell(s) are no numbers (first: "many", line 5)'),
    ],
)
def test_votes_that_cannot_be(tmp_path: Path, row: tuple[Any, ...], message: str) -> None:
    assert message in refused(folder(tmp_path, [*VOTES, row]))


# ------------------------------------------------------------------------------------------------ pictures


def test_missing_pictures_are_counted_and_five_are_named(tmp_path: Path) -> None:
    rows = [("path", "valence"), *((f"{n}.jpg", 5) for n in range(8))]
    root = folder(tmp_path, rows, present=False)
    pictures(root, ["0.jpg"])
    assert refused(root, scale="1-9") == (
        "table: 7 of 8 pictures missing (first: 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg and 2 more); "
        "add the files, or go on without them: --set affective.allow_missing=true"
    )
    found = opened(root, scale="1-9", allow_missing=True)
    assert (found.ids.tolist(), found.missing) == (["0.jpg"], 7)
    (root / "0.jpg").unlink()
    assert refused(root, scale="1-9", allow_missing=True).startswith(
        "table: none of its 8 pictures found (first: 0.jpg"
    )


def test_labels_follow_their_pictures_when_some_are_missing(tmp_path: Path) -> None:
    root = folder(tmp_path, WIDE)
    (root / "p" / "b.jpg").unlink()
    found = opened(root, scale="1-9", allow_missing=True)
    assert found.ids.tolist() == ["p/a.jpg", "p/c.jpg", "p/d.jpg"]
    assert found.labels.ratings["valence"].tolist() == [2.5, 5, 1]
    assert found.split is not None
    assert found.split.tolist() == ["train", "validation", "test"]
    assert found.groups.tolist() == ["one", "p/c.jpg", "two"]


def test_absolute_paths_and_another_folder(tmp_path: Path) -> None:
    elsewhere = pictures(tmp_path / "elsewhere", ["x.jpg", "sub/y.jpg"])
    rows = [("path", "valence"), (elsewhere / "x.jpg", 3), (elsewhere / "sub" / "y.jpg", 4)]
    root = tmp_path / "table"
    write_csv(root / "ratings.csv", rows)
    found = opened(root, scale="1-9")
    assert found.ids.tolist() == ["x.jpg", "sub/y.jpg"]
    write_csv(root / "ratings.csv", [("path", "valence"), ("x.jpg", 3), ("sub\\y.jpg", 4)])
    assert opened(root, scale="1-9", pictures="../elsewhere").ids.tolist() == ["x.jpg", "sub/y.jpg"]
    assert len(opened(root, scale="1-9", pictures=str(elsewhere))) == 2


def test_ids_name_no_place_of_this_machine(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "valence"), ("a.jpg", 3), (str(tmp_path / "b.jpg"), 4)])
    assert opened(root, scale="1-9").ids.tolist() == ["a.jpg", "b.jpg"]


def test_a_picture_twice(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "valence"), ("a.jpg", 3), ("./a.jpg", 4), ("b.jpg", 1)])
    assert refused(root, scale="1-9") == (
        'ratings.csv: 1 picture(s) stand more than once: a.jpg; one row a picture, or a "rater" column'
    )


def test_rows_without_a_picture_or_without_anything(tmp_path: Path) -> None:
    root = folder(tmp_path, [("path", "valence"), ("a.jpg", 3)])
    write_csv(root / "ratings.csv", [("path", "valence"), ("a.jpg", 3), ("", 4)])
    assert refused(root, scale="1-9") == 'ratings.csv: 1 row(s) name no picture in column "path" (line 3)'
    write_csv(root / "ratings.csv", [("path", "valence")])
    assert refused(root, scale="1-9") == "ratings.csv: no rows under its header"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((7, "holdout"), "column \"split\": 'holdout' is no split"),
        ((2, "high"), 'column "valence": 1 cell(s) are no numbers (first: "high", line 5)'),
        ((3, "-1"), 'column "valence_sd": 1 number(s) below zero (line 5)'),
        ((4, "-3"), 'column "valence_n": 1 number(s) below zero (line 5)'),
    ],
)
def test_a_wrong_cell(tmp_path: Path, change: tuple[int, str], message: str) -> None:
    row = list(WIDE[4])
    row[change[0]] = change[1]
    assert message in refused(folder(tmp_path, [*WIDE[:4], tuple(row)]), scale="1-9")


def test_further_columns(tmp_path: Path) -> None:
    rows = [("path", "valence", "place", "year"), ("a.jpg", 3, "sea", 1999), ("b.jpg", 4, "", "")]
    extra = opened(folder(tmp_path, rows), scale="1-9", extra=["place", "year"]).labels.extra
    assert extra["place"].tolist() == ["sea", ""]
    np.testing.assert_array_equal(extra["year"], np.float32([1999, np.nan]))


def test_a_semicolon_table_with_decimal_commas(tmp_path: Path) -> None:
    found = opened(
        folder(tmp_path, [("path", "valence"), ("a.jpg", "3,5"), ("b.jpg", "4")], delimiter=";"), scale="1-9"
    )
    assert found.labels.ratings["valence"].tolist() == [3.5, 4]


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"path": ["a.jpg", "b.jpg"], "valence": [1.5, 9.0], "emotion": ["Awe", None]}
    parquet.write_table(pa.table(columns), pictures(tmp_path, columns["path"]) / "ratings.parquet")
    found = opened(tmp_path, scale="1-9")
    assert found.labels.ratings["valence"].tolist() == [1.5, 9]
    assert found.labels.category is not None
    assert found.labels.category.tolist() == [0, -1]


def test_groups_stay_whole_when_it_is_split(tmp_path: Path) -> None:
    rows = [("path", "valence", "group"), *((f"{g}{n}.jpg", 5, f"g{g}") for g in range(8) for n in range(3))]
    root = folder(tmp_path, rows)
    parts = {name: set(TABLE.open(root, name, scale="1-9").groups) for name in ("train", "validation", "test")}
    assert not (parts["train"] & parts["test"] or parts["train"] & parts["validation"])


def test_a_group_in_two_of_the_tables_own_splits(tmp_path: Path) -> None:
    rows = [("path", "valence", "group", "split"), ("a.jpg", 5, "g", "train"), ("b.jpg", 5, "g", "test")]
    with pytest.raises(DataError, match=r"table: 1 group\(s\) stand in more than one split: g"):
        TABLE.open(folder(tmp_path, rows), "train", scale="1-9", validation=0.0)


def test_an_option_of_another_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="option scale = 9: write a text"):
        opened(folder(tmp_path, WIDE), scale=9)


# ------------------------------------------------------------------------------------------------ long

LONG = [
    ("path", "rater", "valence", "arousal", "emotion", "group"),
    ("b.jpg", "r1", 2, 4, "fear", "g"),
    ("a.jpg", "r1", 8, "", "joy", "h"),
    ("b.jpg", "r2", 4, 6, "fear", "g"),
    ("a.jpg", "r2", 9, "", "awe", "h"),
    ("b.jpg", "r3", 6, "", "anger", "g"),
    ("c.jpg", "r1", "", 1, "", "h"),
]


def test_one_row_a_rater(tmp_path: Path) -> None:
    found = opened(folder(tmp_path, LONG), scale="1-9")
    labels = found.labels
    assert found.ids.tolist() == ["b.jpg", "a.jpg", "c.jpg"]
    np.testing.assert_allclose(labels.ratings["valence"], [4, 8.5, np.nan])
    np.testing.assert_allclose(labels.rating_sd["valence"], [2, np.sqrt(0.5), np.nan])
    assert labels.rating_n["valence"].tolist() == [3, 2, 0]
    np.testing.assert_allclose(labels.ratings["arousal"], [5, np.nan, 1])
    np.testing.assert_allclose(labels.rating_sd["arousal"], [np.sqrt(2), np.nan, np.nan])
    assert labels.categories == ("awe", "happiness", "anger", "fear")
    assert labels.votes is not None
    votes = [dict(zip(labels.categories, row, strict=True)) for row in labels.votes.tolist()]
    assert votes[0] == {"awe": 0, "anger": 1, "fear": 2, "happiness": 0}
    assert votes[1] == {"awe": 1, "anger": 0, "fear": 0, "happiness": 1}
    assert set(votes[2].values()) == {0}
    assert labels.category is not None
    assert [labels.categories[c] if c >= 0 else None for c in labels.category] == ["fear", None, None]
    assert found.groups.tolist() == ["g", "h", "h"]
    assert any("6 rows of 3 raters make 3 pictures" in note for note in found.notes)


def test_votes_of_raters_in_columns_are_added(tmp_path: Path) -> None:
    rows = [("path", "who", "fear", "awe"), ("a.jpg", "r1", 1, 0), ("a.jpg", "r2", 1, 1), ("b.jpg", "r1", "", "")]
    labels = opened(folder(tmp_path, rows), rater="who").labels
    assert labels.categories == ("awe", "fear")
    assert labels.votes is not None
    assert labels.votes.tolist() == [[1, 2], [0, 0]]


def test_a_rater_who_rated_a_picture_twice(tmp_path: Path) -> None:
    root = folder(tmp_path, [*LONG, ("b.jpg", "r2", 5, 5, "awe", "g")])
    assert refused(root, scale="1-9") == (
        "ratings.csv: 1 row(s) repeat a rater's picture: r2 of b.jpg, line 8; keep one each"
    )


def test_a_group_that_differs_within_a_picture(tmp_path: Path) -> None:
    root = folder(tmp_path, [*LONG, ("b.jpg", "r9", 5, 5, "awe", "other")])
    assert refused(root, scale="1-9") == (
        'ratings.csv: column "group": "other" in line 8, but "g" in an earlier row of the same picture; write one'
    )


def test_a_rating_of_one_rater_outside_the_scale(tmp_path: Path) -> None:
    root = folder(tmp_path, [*LONG, ("c.jpg", "r9", 12, 5, "awe", "h")])
    assert 'column "valence": 1 rating(s) outside the scale 1 to 9 (first: 12)' in refused(root, scale="1-9")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1, max_size=4), st.randoms())
def test_the_order_of_rows_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, ratings: list[list[int]], random: Any
) -> None:
    rows = [(f"{p}.jpg", f"r{r}", value) for p, values in enumerate(ratings) for r, value in enumerate(values)]
    random.shuffle(rows)
    found = opened(folder(tmp_path_factory.mktemp("long"), [("path", "rater", "valence"), *rows]), scale="1-9")
    by_id = {name: row for row, name in enumerate(found.ids.tolist())}
    for p, values in enumerate(ratings):
        row = by_id[f"{p}.jpg"]
        assert found.labels.ratings["valence"][row] == pytest.approx(np.mean(values), rel=1e-6)
        assert found.labels.rating_n["valence"][row] == len(values)
        if len(values) > 1:
            assert found.labels.rating_sd["valence"][row] == pytest.approx(np.std(values, ddof=1), rel=1e-5, abs=1e-6)


def test_empty_cells_are_counted(tmp_path: Path) -> None:
    notes = opened(folder(tmp_path, WIDE), scale="1..9").notes
    assert "ratings.csv: 1 of 4 pictures have no arousal" in notes
    assert "ratings.csv: 1 of 4 pictures have no emotion" in notes
    assert not any("valence" in note and "no valence" in note for note in notes)


def test_ties_are_counted(tmp_path: Path) -> None:
    rows = [("path", "joy", "fear"), ("a.jpg", "2", "2"), ("b.jpg", "3", "1"), ("c.jpg", "0", "4")]
    notes = opened(folder(tmp_path, rows)).notes
    assert "ratings.csv: 1 of 3 pictures have no first place among their votes, and so no category" in notes
