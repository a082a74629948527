"""What holds for every affective set: its description, its options, and the helpers they share."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from affective_files import pictures

from affekt.affect import CATEGORIES, FERPLUS
from affekt.data import dataset, describe, list_datasets
from affekt.data.affective.emotions import in_order
from affekt.data.affective.files import check_unique, file_names, pictures_by_stem, present
from affekt.data.affective.votes import polarity_votes
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings

NAMES = [name for name in list_datasets() if describe(name).kind == "affective"]


def test_all_sets_are_there() -> None:
    expected = "abstract affective-folder derived emod emoji emoset ferplus oasis table"
    assert " ".join(NAMES) == expected


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_whole(name: str) -> None:
    described = dataset(name)
    assert described.name == name
    for text in (described.title, described.licence, described.citation, described.homepage, described.layout):
        assert text
        assert "\n" not in text
    assert described.labels
    assert set(described.categories) <= set(CATEGORIES)
    for option, about in described.options.items():
        assert "default" in about, f"{name}: option {option} does not name its default"


@pytest.mark.parametrize("name", [name for name in NAMES if dataset(name).expected])
def test_published_sets_name_a_paper_and_a_home(name: str) -> None:
    described = dataset(name)
    assert re.search(r"\(\d{4}\)", described.citation)
    assert described.homepage.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused(name: str, tmp_path: Path) -> None:
    settings = DataSettings(name=name, options={"skale": "1-9"})
    with pytest.raises(UsageError, match=f'{name}: option "skale": unknown'):
        dataset(name).stimuli(tmp_path, settings)


@pytest.mark.parametrize("name", [name for name in NAMES if dataset(name).needs_folder])
def test_no_folder_says_where_to_put_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: no folder .*It must hold: "):
        dataset(name).open(tmp_path / "absent")


@pytest.mark.parametrize("name", [name for name in NAMES if dataset(name).needs_folder])
def test_an_empty_folder_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset(name).open(tmp_path)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ shared helpers


def test_present_looks_at_each_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path, [f"{folder}/{n}.jpg" for folder in "ab" for n in range(20)])
    paths = [tmp_path / folder / f"{n}.jpg" for folder in "ab" for n in range(20)]
    calls: list[str] = []
    actual = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (calls.append(str(path)), actual(path))[1])
    monkeypatch.setattr(os, "stat", lambda *a, **k: pytest.fail("a file was asked for one by one"))
    found = present("x", paths, [p.name for p in paths], DataSettings())
    assert found.rows.tolist() == list(range(40))
    assert sorted(calls) == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_present_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    pictures(tmp_path / "a", ["1.jpg"])
    paths = [tmp_path / "a" / "1.jpg", tmp_path / "b" / "1.jpg"]
    found = present("x", paths, ["a/1.jpg", "b/1.jpg"], DataSettings(), tolerated=True)
    assert (found.rows.tolist(), found.missing) == ([0], 1)
    assert file_names(tmp_path / "b") == frozenset()


def test_pictures_by_stem(tmp_path: Path) -> None:
    pictures(tmp_path, ["b.png", "a.jpg", "a.bmp", ".hidden.jpg", "x.y.jpg"])
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "jpg").write_text("no suffix")
    assert pictures_by_stem(tmp_path) == {"a": "a.bmp", "b": "b.png", "x.y": "x.y.jpg"}


def test_check_unique() -> None:
    check_unique("x", ["a", "b"])
    with pytest.raises(DataError, match=r"^x: 2 picture\(s\) stand more than once: b, a; keep each once$"):
        check_unique("x", ["b", "a", "b", "a", "a", "c"])


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["sadness", "awe"], ("awe", "sadness")),
        (["surprise", "fear"], ("fear", "surprise")),
        (["contempt", "neutral"], ("neutral", "contempt")),
        (["positive", "negative"], ("negative", "positive")),
        (["boredom", "awe", "awe"], ("awe", "boredom")),
    ],
)
def test_in_order_of_the_family(names: list[str], ordered: tuple[str, ...]) -> None:
    assert in_order(names) == ordered


def test_polarity_votes_keep_the_number_of_people() -> None:
    votes = np.array([[1, 2, 3, 4, 0, 0, 0, 0], [0, 0, 7, 0, 0, 0, 0, 0]], dtype=np.float32)
    names, found = polarity_votes(votes, FERPLUS, ambiguous="drop")
    assert names == ("negative", "neutral", "positive")
    assert found.tolist() == [[4, 1, 2], [0, 0, 0]]
    assert polarity_votes(votes, FERPLUS, ambiguous="own")[1].tolist() == [[4, 1, 2, 3], [0, 0, 0, 7]]
    assert polarity_votes(votes, FERPLUS, ambiguous="neutral")[1].tolist() == [[4, 4, 2], [0, 7, 0]]
