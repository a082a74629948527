"""Ratings and votes of one's own: wide and long, with what is left out and what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from people_files import refused, table
from PIL import Image

from affekt.affect import RatingScale
from affekt.data import dataset
from affekt.errors import DataError
from affekt.humans.people import Ratings, Votes, read_people

WIDE = "path,valence_mean,valence_sd,valence_n,arousal,group,place"
LONG = "rater,id,valence,arousal"


def ratings(path: Path, **options: object) -> Ratings:
    found = read_people(path, options={"scale": "1-9", **options})
    assert isinstance(found, Ratings)
    return found


def votes(path: Path, **options: object) -> Votes:
    found = read_people(path, options=options)
    assert isinstance(found, Votes)
    return found


def test_a_wide_table(tmp_path: Path) -> None:
    path = table(
        tmp_path / "mine.csv", WIDE, ("p/a.jpg", 3.3, 1.5, 20, 6, "one", "sea"), ("p/b.jpg", 8, "", "", "", "", "land"),
        ("p/c.jpg", "", "", "", "", "two", "land"),
    )  # fmt: skip
    found = ratings(path, extra=("place",), licence="CC BY 4.0")
    assert found.name == "mine"
    assert found.licence == "CC BY 4.0"
    assert found.scale == RatingScale(1, 9)
    assert found.ids.tolist() == ["p/a.jpg", "p/b.jpg"]
    assert found.groups.tolist() == ["one", "p/b.jpg"]
    assert found.means["valence"].tolist() == [3.3, 8]
    np.testing.assert_array_equal(found.means["arousal"], [6, np.nan])
    np.testing.assert_array_equal(found.sds["valence"], [1.5, np.nan])
    np.testing.assert_array_equal(found.counts["valence"], [20, np.nan])
    assert "arousal" not in found.sds
    assert found.facts["place"].tolist() == ["sea", "land"]
    assert found.raters == {}
    assert "1 pictures without a rating left out: p/c.jpg" in found.notes


def test_a_long_table_keeps_the_single_ratings(tmp_path: Path) -> None:
    path = table(
        tmp_path / "long.csv", LONG, ("kim", "a", 3, 2), ("ada", "b", 5.1, 3), ("ada", "a", 4, ""), ("kim", "b", 3, 9)
    )
    found = ratings(path)
    assert found.rater_names == ("ada", "kim")
    assert found.ids.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.raters["valence"], [[4, 5.1], [3, 3]])
    np.testing.assert_array_equal(found.raters["arousal"], [[np.nan, 3], [2, 9]])
    np.testing.assert_array_equal(found.means["valence"], np.nanmean(found.raters["valence"], axis=0))
    np.testing.assert_allclose(found.sds["valence"], np.std(found.raters["valence"], axis=0, ddof=1))
    assert found.counts["arousal"].tolist() == [1, 2]
    assert any("valence: 1 rater(s) gave one rating to everything: kim" in note for note in found.notes)


def test_ids_are_those_of_the_pictures_reader(tmp_path: Path) -> None:
    path = table(tmp_path / "mine.csv", "path,valence", ("./p/a.jpg", 3), ("p\\b.jpg", 4))
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "p").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "p" / name)
    stimuli = dataset("table").open(path, "all", scale="1-9")
    assert ratings(path).ids.tolist() == stimuli.ids.tolist() == ["p/a.jpg", "p/b.jpg"]


def test_votes_by_emotion_and_by_rater(tmp_path: Path) -> None:
    wide = votes(table(tmp_path / "w.csv", "id,angry,joy", ("a", 3, 4), ("b", 0, 2), ("c", "", "")))
    assert wide.categories == ("anger", "happiness")
    assert wide.votes.tolist() == [[3, 4], [0, 2]]
    assert wide.votes.dtype == np.int64
    assert "1 pictures without a vote left out: c" in wide.notes
    long = votes(
        table(tmp_path / "l.csv", "rater,id,emotion", ("x", "a", "joy"), ("y", "a", "anger"), ("x", "b", "joy"))
    )
    assert long.votes.tolist() == [[1, 1], [0, 1]]
    assert long.right.tolist() == ["", "happiness"]


def test_a_table_of_both(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "path,valence,anger,joy", ("a", 3, 1, 2))
    assert "t.csv holds votes, too: read them with option kind = votes" in ratings(path).notes
    assert votes(path, scale="1-9", kind="votes").votes.tolist() == [[1, 2]]
    assert 'option kind "vote": unknown. Nearest: votes' in refused(path, scale="1-9", kind="vote")
    only = table(tmp_path / "o.csv", "path,valence", ("a", 3))
    assert "o.csv: has no votes. Found: path, valence" in refused(only, scale="1-9", kind="votes")


def test_one_mean_for_everything_is_said(tmp_path: Path) -> None:
    found = ratings(table(tmp_path / "t.csv", "path,valence", ("a", 3), ("b", 3), ("c", "")))
    assert "valence: every picture has the mean 3; nothing can correlate with it" in found.notes


@pytest.mark.parametrize(
    ("header", "rows", "options", "message"),
    [
        ("path,valence", [("a", 3)], {}, 'ratings without a scale; write the one they were given on'),
        ("path,valence", [("a", 9.5), ("b", 0)], {"scale": "1-9"}, '2 rating(s) outside the scale 1 to 9 (first: 9.5)'),
        ("rater,path,valence", [("x", "a", 10)], {"scale": "1-9"}, '1 rating(s) outside the scale 1 to 9 (first: 10)'),
        ("path,valence", [("a", "")], {"scale": "1-9"}, "no picture has a rating; its columns valence are empty"),
        ("path,valence", [("a", 3), ("a", 4)], {"scale": "1-9"}, "1 picture(s) stand more than once: a"),
        ("path,anger,joy", [("a", 0.25, 0.75)], {}, "1 row(s) with votes that are no whole numbers (line 2)"),
        ("path,anger,joy", [("a", "", "")], {}, "no picture has a vote"),
        ("path,emotion", [("a", "joy")], {}, "one emotion a picture says what is right, not what people answered"),
        ("path,score", [("a", 3)], {}, "no column says what people felt"),
        ("path,valence", [("a", 3)], {"scal": "1-9"}, 'ratings table: option "scal": unknown. Nearest: scale'),
        ("path,valence", [("a", 3)], {"scale": "1-9", "arousal": "calm"}, 'no column "calm"'),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(
    tmp_path: Path, header: str, rows: list[tuple[object, ...]], options: dict[str, object], message: str
) -> None:
    assert message in refused(table(tmp_path / "t.csv", header, *rows), **options)


def test_what_a_set_of_people_checks_itself() -> None:
    ids = np.array(["a", "b"])
    scale, means = RatingScale(1, 9), {"valence": np.array([1.0, 2.0])}
    with pytest.raises(DataError, match="mine: 2 ids, but 1 groups"):
        Ratings(name="mine", ids=ids, groups=ids[:1], scale=scale, means=means)
    with pytest.raises(DataError, match="mine: 1 ids stand twice: a"):
        Ratings(name="mine", ids=np.array(["a", "a"]), groups=ids, scale=scale, means=means)
    with pytest.raises(DataError, match="mine: 2 ids, but 1 x in the facts, 3 means of arousal"):
        Ratings(name="mine", ids=ids, groups=ids, scale=scale, means={"arousal": np.ones(3)}, facts={"x": np.ones(1)})
    with pytest.raises(DataError, match="mine: no stimulus in it"):
        Ratings(name="mine", ids=ids[:0], groups=ids[:0], scale=scale, means={})
