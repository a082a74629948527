"""Checking a copy of a data set: every fault is counted and named, none ends the check."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from affekt.data import dataset
from affekt.data.checking import check
from affekt.data.dataset import Source
from affekt.data.stimuli import Stimuli
from affekt.errors import DataError, UsageError
from affekt.recipe import DataSettings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40, 40), 90).convert("RGB").save(path)
    return tmp_path / "set"


def test_a_whole_copy_has_no_problem(root: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    report = check(dataset("folder"), root, progress=lambda *step: seen.append(step))
    assert report.problems == ()
    assert (report.found, report.decoded, report.groups, report.missing) == (5, 5, 5, 0)
    assert report.splits == {"train": 3, "test": 2}
    assert report.categories == {"cat": 3, "dog": 2}
    assert seen[-1] == ("pictures", 5, 5)


def test_every_picture_that_does_not_decode_is_named(root: Path) -> None:
    whole = (root / "train/cat/2.png").read_bytes()
    (root / "train/cat/2.png").write_bytes(whole[: len(whole) // 2])
    (root / "test/dog/1.png").write_bytes(b"no picture")
    report = check(dataset("folder"), root, workers=2)
    assert len(report.undecodable) == 2
    assert "test/dog/1.png" in "".join(report.undecodable)
    assert any("train/cat/2.png" in problem for problem in report.problems)
    assert check(dataset("folder"), root, decode=False).problems == ()


def test_a_set_that_cannot_be_read_is_a_problem_not_an_exception(root: Path) -> None:
    (root / "train" / "emu").mkdir()
    report = check(dataset("folder"), root)
    assert len(report.problems) == 1
    assert "no picture in the class folder" in report.problems[0]
    assert "no folder" in check(dataset("folder"), root / "nowhere").problems[0]


def test_too_few_pictures_are_a_problem(root: Path) -> None:
    report = check(replace(dataset("folder"), expected=7), root)
    assert report.problems == ("5 pictures where a complete copy has 7",)


def test_missing_pictures_are_counted_where_a_training_would_stop(root: Path) -> None:
    plain = dataset("folder")

    def read(folder: Path, settings: DataSettings) -> Stimuli:
        if not settings.allow_missing:
            raise DataError("2 files missing")
        return replace(plain.read(folder, settings), missing=2, notes=("2 files missing, left out",))

    report = check(replace(plain, read=read), root)
    assert report.missing == 2
    assert report.problems == ("2 pictures missing",)
    assert report.notes == ("2 files missing, left out",)


def test_published_files_are_whole_altered_or_absent(root: Path) -> None:
    (root / "a.tar.gz").write_bytes(b"right")
    (root / "b.tar.gz").write_bytes(b"wrong")
    sources = tuple(
        Source(urls=("http://x/y",), file=f"{name}.tar.gz", sha256=hashlib.sha256(b"right").hexdigest(), size=5)
        for name in "abc"
    )
    report = check(replace(dataset("folder"), sources=sources), root)
    assert report.files == {"a.tar.gz": "whole", "b.tar.gz": "altered", "c.tar.gz": "absent"}
    assert report.problems == ("b.tar.gz: other content than published",)


def test_the_report_is_plain_json(root: Path) -> None:
    report = check(dataset("folder"), root)
    found = json.loads(json.dumps(report.to_json()))
    assert found["found"] == 5
    assert found["problems"] == []
    assert found["categories"] == {"cat": 3, "dog": 2}


def test_a_wrong_option_ends_the_check(root: Path) -> None:
    described = dataset("folder")
    with pytest.raises(UsageError, match=r'option "grup": unknown. Nearest: group'):
        check(described, root, replace(described.settings(), options={"grup": "item"}))


def test_identities_in_two_of_the_sets_own_splits_are_a_problem(tmp_path: Path) -> None:
    rows = ["path,valence,group,split"]
    for number, (group, split) in enumerate([("a", "train"), ("a", "test"), ("b", "train"), ("c", "test"), ("a", "")]):
        Image.effect_noise((16, 16), 90).convert("RGB").save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{1 + number},{group},{split}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    table = dataset("table")
    report = check(table, tmp_path, table.settings(options={"scale": "1..9"}), decode=False)
    assert report.shared_groups == ("a",)
    assert report.problems == ("1 group(s) stand in more than one split: a",)
